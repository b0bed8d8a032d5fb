import { expect, test } from "vitest";
import { createSignals } from "../../src/base/signals.ts";
import type { Change } from "../../src/domain/signals.ts";

const LONG_MS = 60_000;
const forwarded = (messageId: string): Change => ({ kind: "forwarded", messageId, status: "queueing", isCallbackClosed: false });

test("what changed between two waits is told by the next one, all of it and once", async () => {
  const signals = createSignals<Change>();
  const subscription = signals.subscribe("a");
  signals.notify("a", forwarded("1"));
  signals.notify("b", forwarded("2"));
  signals.notify("a", { kind: "something" });
  expect(await subscription.next(LONG_MS)).toEqual([forwarded("1"), { kind: "something" }]);
  expect(await subscription.next(0)).toEqual([]);
  const waiting = subscription.next(LONG_MS);
  signals.notify("a", forwarded("3"));
  expect(await waiting).toEqual([forwarded("3")]);
});

test("a subscription that is closed ends the wait, waits no more, and nobody is awaited", async () => {
  const signals = createSignals<Change>();
  const subscription = signals.subscribe("a");
  const waiting = subscription.next(LONG_MS);
  subscription.close();
  expect(await waiting).toEqual([]);
  expect(await subscription.next(LONG_MS)).toEqual([]);
  expect(signals.isAwaited("a")).toBe(false);
});
