import { before } from "../base/before.ts";
import type { Log } from "../base/log.ts";
import { canReplyPassively, type HttpBody, type OpenedCallback } from "../domain/channel.ts";
import type { Connection } from "../domain/connection.ts";
import { toReadableText } from "../domain/content.ts";
import { toOtherApp } from "../domain/other-app.ts";
import { at, type CallbackTimes, type Deadlines, toCallbackTimes } from "./deadlines.ts";
import { noteApp } from "./note-app.ts";
import type { NoteWarningDeps } from "./note-warning.ts";
import { mayFindReply, passiveReply, takeWaiting, type Waited } from "./passive-reply.ts";
import { type ReceiveDeps, type Received, receive } from "./receive.ts";
import { endReservation, type OpenCallback, type PassiveReplyDeps, type TakenReply, toOutbound } from "./take-reply.ts";

type OpenedMessage = Extract<OpenedCallback, { kind: "message" }>;

export interface AnswerDeps extends ReceiveDeps, PassiveReplyDeps, NoteWarningDeps {
  log: Log;
}

/** The answer to a callback. Of `sent` and `lost` the first call counts, and neither rejects. */
export interface CallbackAnswer {
  /** A passive reply; null: the channel's acknowledgement. */
  body: HttpBody | null;
  /** Every byte of the response is with the operating system: the reply is sent. */
  sent(): Promise<void>;
  /** The connection closed before that. Some bytes may have left: WeChat's repetition gets the reply again, else it becomes uncertain. */
  lost(): Promise<void>;
}

/**
 * Answers one callback: stores its message, then waits for a reply as long as one may come. The answer is there in time even when the
 * database is slow: a reply that is taken too late for it is withdrawn and goes another way.
 * @param gone aborted when the connection closes
 * @throws what storing throws, or TooLateError: the message is not stored, or not in time
 */
export async function answerCallback(
  opened: OpenedCallback,
  connection: Connection,
  deadlines: Deadlines,
  gone: AbortSignal,
  deps: AnswerDeps,
): Promise<CallbackAnswer> {
  const { now, log } = deps;
  const { account } = connection;
  if (opened.kind === "bookkeeping") {
    log.info({ account: account.id, name: opened.name }, "callback.ignored");
    return toAnswer(null, log);
  }
  const elapsedMs = () => now().getTime() - deadlines.arrivedAt.getTime();
  let isLate = false;
  const isOver = () => isLate || gone.aborted;
  const stored = receive(opened, connection, deps, toTimes(connection, deadlines, 0).waitMs - elapsedMs());
  // No deadline cuts it off, so that a message which is stored too late leaves no reservation behind.
  const found = stored.then((received) => {
    if (received.changes !== null) gone.addEventListener("abort", received.changes.close, { once: true });
    const callback = toOpenCallback(opened, received, connection, deadlines, isOver);
    return callback && findReply(callback, deps);
  });
  found.catch(() => {});
  const received = await before(deadlines.storeBy, now, stored).catch((error: unknown) => {
    isLate = true;
    throw error;
  });
  // The answer neither waits for this warning nor fails with it.
  void noteApp(opened.addressedApp ?? null, connection, deps);
  const answerBy = at(deadlines.arrivedAt, toTimes(connection, deadlines, received.ageMs).answerMs);
  const taken = await before(answerBy, now, found).catch((error: unknown) => {
    isLate = true;
    // The message is stored, and a reply stays in its queue: the callback itself is answered all the same.
    log.warn({ error, message: received.messageId }, "callback.without-reply");
    found.then((late) => late?.withdraw()).catch((fault: unknown) => log.error({ error: fault }, "reply.lost"));
    return null;
  });
  log.info(
    {
      account: account.id,
      conversation: received.conversationId,
      message: received.messageId,
      type: opened.message.content.type,
      text: toReadableText(opened.message.content),
      isNew: received.isNew,
      otherApp: toOtherApp(account, opened.addressedApp ?? null) ?? undefined,
      answered: taken === null ? "nothing" : "passive",
      durationMs: elapsedMs(),
    },
    "callback.received",
  );
  return toAnswer(taken, log);
}

/**
 * Waits for a reply and ends what keeps the callback open, in this one place, however the wait ends. A reply that is taken keeps the
 * reservation: that ends when the reply is sent, withdrawn or lost.
 */
export async function findReply(callback: OpenCallback, deps: PassiveReplyDeps): Promise<TakenReply | null> {
  const { received, isOver } = callback;
  if (!mayFindReply(received)) return null;
  const waited = await passiveReply(callback, deps).catch((error: unknown) => ({ kind: "failed", error }) as const);
  received.changes?.close();
  const taken = waited.kind === "taken" ? waited.reply : await endWait(waited, callback, deps);
  if (waited.kind === "failed") throw waited.error;
  if (taken === null || !isOver()) return taken;
  // Nothing was written, so nothing can have been read.
  await taken.withdraw();
  return null;
}

/** Without a query so far, another process may have stored a reply whose signal is still on its way: that one rides along. */
async function endWait(
  waited: Exclude<Waited, { kind: "taken" }> | { kind: "failed" },
  callback: OpenCallback,
  deps: PassiveReplyDeps,
): Promise<TakenReply | null> {
  // The settle of the message has ended the reservation.
  if (waited.kind === "closed" || !(await endReservation(callback.received, deps))) return null;
  const taken = waited.kind === "untold" && !callback.isOver() ? await takeWaiting(callback, deps) : null;
  if (taken === null) deps.deliver(toOutbound(callback.received));
  return taken;
}

function toOpenCallback(
  { replyTo }: OpenedMessage,
  received: Received,
  connection: Connection,
  deadlines: Deadlines,
  isOver: () => boolean,
): OpenCallback | null {
  const { account, channel } = connection;
  if (!canReplyPassively(channel)) return null;
  const { waitMs, takeMs } = toTimes(connection, deadlines, received.ageMs);
  const [waitUntil, deadline] = [at(deadlines.arrivedAt, waitMs), at(deadlines.arrivedAt, takeMs)];
  return { received, channel, replyTo, canSendAsync: account.replies.async, waitUntil, deadline, isOver };
}

function toTimes({ account: { replies } }: Connection, { mayWait }: Deadlines, ageMs: number): CallbackTimes {
  return toCallbackTimes(mayWait() ? replies : { ...replies, passiveWaitMs: 0 }, ageMs);
}

function toAnswer(taken: TakenReply | null, log: Log): CallbackAnswer {
  let isEnded = false;
  const once = (end: () => Promise<void>, event: string) => async () => {
    if (isEnded) return;
    isEnded = true;
    await end().catch((error: unknown) => log.error({ error }, event));
  };
  if (taken === null) return { body: null, sent: async () => {}, lost: async () => {} };
  return { body: taken.body, sent: once(taken.confirm, "reply.unconfirmed"), lost: once(taken.lose, "reply.lost") };
}
