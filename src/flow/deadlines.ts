/** WeChat hangs up after 5 s and calls again, three times in all. A reply is taken until 4.6 s, the answer has left by 4.8 s. */
export const WAIT_MS_MAX = 4_500;

/** Past the moment at which WeChat hangs up, so that it calls again. */
const UNANSWERED_MS = 5_500;

/** A message this old is on its third try: one more silence, and the customer reads that the account is out of service. */
const LAST_TRY_AFTER_MS = 9_000;

/** Between the end of the wait and the last moment for taking a reply, and from there for answering. */
const TAKE_MS = 100;
const ANSWER_MS = 100;

/** From the arrival of a callback: how long to wait for a reply, until when one may be taken, and when the answer must go. */
export interface CallbackTimes {
  waitMs: number;
  takeMs: number;
  answerMs: number;
}

/**
 * How long a callback stays open. An account that can only answer on callbacks uses all three tries: the first two are left
 * unanswered for as long as a reply may come, which makes a window of about 14 s out of three of 5 s (wechat.md §6). One whose wait
 * was set shorter wants its answers early, not late.
 * @param ageMs how long ago the message was first stored
 */
export function toCallbackTimes({ passiveWaitMs, async }: { passiveWaitMs: number; async: boolean }, ageMs: number): CallbackTimes {
  const isWidened = !async && passiveWaitMs >= WAIT_MS_MAX && ageMs < LAST_TRY_AFTER_MS;
  const waitMs = isWidened ? UNANSWERED_MS : Math.min(passiveWaitMs, WAIT_MS_MAX);
  const takeMs = (isWidened ? UNANSWERED_MS : WAIT_MS_MAX) + TAKE_MS;
  return { waitMs, takeMs, answerMs: takeMs + ANSWER_MS };
}
