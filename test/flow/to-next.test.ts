import { expect, test } from "vitest";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { QueuedMessage } from "../../src/domain/queue.ts";
import { toNext } from "../../src/flow/to-next.ts";

const NOW = new Date("2026-11-22T04:00:00.000Z");
const DAY_MS = 86_400_000;
const STATES = { done: "sent", rejected: "failed" } as const;

const queued = (failures: number, ageMs = 0): QueuedMessage =>
  ({ place: 1, failures, progress: 0, ageMs, begun: null }) as unknown as QueuedMessage;

const next = (outcome: Outcome, given = queued(0), pauseMs = (failures: number) => failures * 1_000) =>
  toNext(outcome, given, STATES, { now: () => NOW, pauseMs });

const retry = (change: Partial<Extract<Outcome, { kind: "retry" }>> = {}): Outcome => ({
  kind: "retry",
  code: "X",
  detail: "x",
  ...change,
});

test("what is over is over, in the state that the direction has for it", () => {
  expect(next({ kind: "done" })).toEqual({ kind: "finished", state: "sent" });
  expect(next({ kind: "rejected", code: "X", detail: "x" })).toEqual({ kind: "finished", state: "failed" });
  expect(next({ kind: "uncertain", code: "X", detail: "x" })).toEqual({ kind: "finished", state: "uncertain" });
});

test("what the platform takes only after the contact's next message is held, however old it is", () => {
  expect(next({ kind: "hold", code: "45015", detail: "x" }, queued(9, 2 * DAY_MS))).toEqual({ kind: "held" });
});

test("a pause follows the number of failures, and Retry-After is its minimum", () => {
  expect(next(retry(), queued(2))).toEqual({ kind: "again", afterMs: 3_000 });
  expect(next(retry({ retryAfterMs: 60_000 }), queued(2))).toEqual({ kind: "again", afterMs: 60_000 });
  expect(next(retry({ retryAfterMs: 1 }), queued(2))).toEqual({ kind: "again", afterMs: 3_000 });
});

test("after a day of failures a message is dead, a millisecond before it is not", () => {
  expect(next(retry(), queued(300, DAY_MS))).toEqual({ kind: "finished", state: "dead" });
  expect(next(retry(), queued(300, DAY_MS - 1))).toMatchObject({ kind: "again" });
});

test("an outcome that allows a number of tries gets no more", () => {
  expect(next(retry({ triesMax: 3 }), queued(1))).toMatchObject({ kind: "again" });
  expect(next(retry({ triesMax: 3 }), queued(2))).toEqual({ kind: "finished", state: "dead" });
});
