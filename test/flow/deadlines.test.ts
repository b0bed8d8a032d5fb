import { expect, test } from "vitest";
import {
  ADMIT_MS_MAX,
  CALLBACK_LEASE_MS,
  QUERY_MS,
  SETTLE_MS,
  STORE_MS_MAX,
  toCallbackTimes,
  URL_CHECK_MS_MAX,
  WAIT_MS_MAX,
  WECHAT_MS,
  WORKER_LEASE_MS,
} from "../../src/flow/deadlines.ts";

const WECOM_URL_CHECK_MS = 1_000;

test("the limits of a callback come one after the other, each with room for the next", () => {
  const { waitMs, takeMs, answerMs } = toCallbackTimes({ async: true, passiveWaitMs: WAIT_MS_MAX }, 0);
  expectInOrder(URL_CHECK_MS_MAX, WECOM_URL_CHECK_MS);
  expectInOrder(QUERY_MS, ADMIT_MS_MAX, STORE_MS_MAX, takeMs, answerMs, WECHAT_MS);
  expectInOrder(waitMs, takeMs);
  // A lease begins when the reply is taken. It outlasts the response with its settle, and WeChat's next try.
  expectInOrder(answerMs - waitMs + SETTLE_MS, CALLBACK_LEASE_MS);
  expectInOrder(2 * WECHAT_MS, CALLBACK_LEASE_MS);
  expectInOrder(CALLBACK_LEASE_MS, WORKER_LEASE_MS);
});

function expectInOrder(...times: number[]): void {
  expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
}

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
