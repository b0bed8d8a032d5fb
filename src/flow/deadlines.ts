/* The time limits of a callback, from its arrival to the end of what its answer leaves behind. deadlines.test.ts holds their order. */

/** WeChat hangs up after 5 s and calls again, three times in all (wechat.md §6). */
export const WECHAT_MS = 5_000;

/** WeCom gives its URL check one second; a console that gets no answer in time tells its operator nothing. */
export const URL_CHECK_MS_MAX = 900;

/** A longer expected wait to be stored is refused at once; the rest is for an expectation that was too good. */
export const ADMIT_MS_MAX = 3_000;

/** A callback that is not stored by then is refused, so that WeChat calls again. */
export const STORE_MS_MAX = 4_500;

/** The longest wait for a reply. */
export const WAIT_MS_MAX = 4_500;

/** Past the moment at which WeChat hangs up, so that it calls again. */
const UNANSWERED_MS = 5_500;

/** A message this old is on its third try: one more silence, and the customer reads that the account is out of service. */
const LAST_TRY_AFTER_MS = 9_000;

/** Between the end of the wait and the last moment for taking a reply, and from there for answering. */
const TAKE_MS = 100;
const ANSWER_MS = 100;

/** Reserves the outbound queue for one query, so that replies which wait leave with this callback before a worker sends them another way. */
export const QUERY_MS = 300;

/** Longer than a callback and WeChat's next try of it together, so that a repetition finds the answer, not a doubt. */
export const CALLBACK_LEASE_MS = 15_000;

/** For writing down how a response ended, a restart of the database included; within the lease. */
export const SETTLE_MS = 10_000;

/** The lease of a worker: longer than a token fetch, a send and their settling together. */
export const WORKER_LEASE_MS = 35_000;

/** When a callback came, and what follows from that. */
export interface Deadlines {
  arrivedAt: Date;
  storeBy: Date;
  /** False: its answer waits for no reply, because too many callbacks are open or the process stops. */
  mayWait: () => boolean;
}

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

export function at(start: Date, ms: number): Date {
  return new Date(start.getTime() + ms);
}
