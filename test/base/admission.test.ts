import { expect, test } from "vitest";
import { createAdmission } from "../../src/base/admission.ts";
import type { WaitingLine } from "../../src/base/waiting-line.ts";

function stage(given: { size?: number; expectedMs?: number; loopDelayMs?: number }) {
  const line: WaitingLine = { counted: (work) => work, size: () => given.size ?? 0, expectedMs: () => given.expectedMs ?? 0 };
  return createAdmission({
    lines: [line, line],
    waitMsMax: 3_000,
    waitingMax: 2_000,
    openMax: 3,
    loopDelayMs: () => given.loopDelayMs ?? 0,
  });
}

test.each([
  [{ size: 500, expectedMs: 1_500 }, null],
  [{ size: 500, expectedMs: 1_501 }, "it would not be stored in time"],
  // The loop is crossed four times.
  [{ size: 500, expectedMs: 1_000, loopDelayMs: 250 }, null],
  [{ size: 500, expectedMs: 1_000, loopDelayMs: 251 }, "it would not be stored in time"],
  [{ size: 1_000, expectedMs: 0 }, "too many wait to be stored"],
  // They find out when storing works again.
  [{ size: 9, expectedMs: 60_000 }, null],
])("what waits decides: %j", (given, why) => {
  expect(stage(given).refusal()?.why ?? null).toBe(why);
});

test("an event loop that comes to nothing in time is overload too, though nothing waits for the database", () => {
  const line: WaitingLine = { counted: (work) => work, size: () => 0, expectedMs: () => 0 };
  const admission = createAdmission({ lines: [line], waitMsMax: 3_000, waitingMax: 2_000, openMax: 100, loopDelayMs: () => 751 });
  const leave = Array.from({ length: 20 }, () => {
    expect(admission.refusal()).toBeNull();
    return admission.enter();
  });
  expect(admission.refusal()?.why).toBe("it would not be stored in time");
  leave[0]?.();
  expect(admission.refusal()).toBeNull();
});

test("so many are open and no more, until one has its answer", () => {
  const admission = stage({});
  const leave = [1, 2, 3].map(() => admission.enter());
  expect(admission.open()).toBe(3);
  expect(admission.refusal()).toEqual({ why: "too many are open", open: 3, waiting: 0, expectedMs: 0 });
  leave[0]?.();
  expect(admission.refusal()).toBeNull();
});
