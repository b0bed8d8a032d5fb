import { expect, test } from "vitest";
import { toCallbackTimes } from "../../src/flow/deadlines.ts";

test("a callback is answered within 4.8 s, and earlier where the account wants that", () => {
  for (const ageMs of [0, 5_000, 10_000]) {
    expect(toCallbackTimes({ async: true, passiveWaitMs: 4_500 }, ageMs)).toEqual({ waitMs: 4_500, takeMs: 4_600, answerMs: 4_700 });
    expect(toCallbackTimes({ async: true, passiveWaitMs: 0 }, ageMs).waitMs).toBe(0);
    expect(toCallbackTimes({ async: false, passiveWaitMs: 1_500 }, ageMs).waitMs).toBe(1_500);
  }
});

test("without asynchronous messages the first two tries outlast WeChat's 5 s, and the third is answered in time", () => {
  const replies = { async: false, passiveWaitMs: 4_500 };
  expect([0, 5_100, 10_200].map((ageMs) => toCallbackTimes(replies, ageMs).answerMs)).toEqual([5_700, 5_700, 4_700]);
});
