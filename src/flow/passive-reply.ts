import { mayBeAnswered as mayStatusBeAnswered } from "../domain/conversation.ts";
import { newHolder } from "../domain/ids.ts";
import type { Change } from "../domain/signals.ts";
import type { CallbackProspect, DeskProspect } from "../domain/store.ts";
import { endReservation } from "./end-reservation.ts";
import type { Received } from "./receive.ts";
import { LEASE_MS, type OpenCallback, type PassiveReplyDeps, repeatReply, type TakenReply, takeReply } from "./take-reply.ts";

/** Another process may take or bring a reply without a signal reaching us. */
const POLL_MS = 500;

/** More would not fit into one reply. */
const MESSAGES_MAX = 20;

/** A first try that reserved nothing has nothing to find; a repetition may find the answer of the first. */
export function mayFindReply({ isNew, openUntil }: Received): boolean {
  return !isNew || openUntil !== null;
}

/**
 * Waits for a reply to send in the response of an open callback, as long as one may still come. A passive reply is a claim of the
 * conversation's outbound queue by the callback: it takes the head, and only in order. The store is queried only where the record or a
 * signal does not tell already.
 * @returns null when there is nothing to say
 */
export async function passiveReply(callback: OpenCallback, deps: PassiveReplyDeps): Promise<TakenReply | null> {
  const { received, waitUntil, hasGone } = callback;
  const { changes } = received;
  try {
    let prospect: DeskProspect | CallbackProspect = toFirstProspect(received) ?? (await query(callback, deps));
    for (;;) {
      const taken = await takeFrom(prospect, callback, deps);
      if (typeof taken === "object") return taken;
      const leftMs = waitUntil.getTime() - deps.now().getTime();
      if (taken === "unfit" || leftMs <= 0 || changes === null || hasGone() || !mayBeAnswered(prospect, callback)) break;
      const changed = taken === "nothing" ? await changes.next(Math.min(leftMs, POLL_MS)) : [];
      if (isClosed(changed, received)) return null;
      prospect = toNextProspect(changed, received) ?? (await query(callback, deps));
    }
    return await endWait("claim" in prospect, callback, deps);
  } finally {
    changes?.close();
  }
}

/** The outbound queue was empty when the message was stored, and later replies come with a signal. Null: a query is needed. */
function toFirstProspect({ isNew, hasReplies, isDeskAway }: Received): DeskProspect | null {
  return isNew && !hasReplies ? { messageState: "received", status: "unknown", isDeskAway } : null;
}

/** The settle of this message has ended the reservation as well. */
function isClosed(changed: readonly Change[], { messageId }: Received): boolean {
  return changed.some((change) => change.kind === "forwarded" && change.messageId === messageId && change.isCallbackClosed);
}

/** Null: a query is needed. */
function toNextProspect(changed: readonly Change[], { messageId }: Received): DeskProspect | null {
  let status: DeskProspect["status"] | undefined;
  for (const change of changed) {
    if (change.kind !== "forwarded" || change.messageId !== messageId) return null;
    status = change.status;
  }
  return status === undefined ? null : { messageState: "forwarded", status, isDeskAway: false };
}

function query({ received: { conversationId, messageId } }: OpenCallback, { queues }: PassiveReplyDeps): Promise<CallbackProspect> {
  const holder = newHolder("callback");
  return queues.claimForCallback({ conversationId, messageId, holder, messagesMax: MESSAGES_MAX, leaseMs: LEASE_MS });
}

async function takeFrom(
  prospect: DeskProspect | CallbackProspect,
  callback: OpenCallback,
  deps: PassiveReplyDeps,
): Promise<TakenReply | "nothing" | "again" | "unfit"> {
  if (!("claim" in prospect)) return "nothing";
  if (prospect.answer === null) return prospect.claim === null ? "nothing" : takeReply(prospect.claim, callback, deps);
  // It has what it waited for: further replies need not wait for it.
  await endReservation(callback.received, deps);
  return repeatReply(prospect.answer, callback, deps);
}

/** Without a query so far, another process may have stored a reply whose signal is still on its way: that one rides along. */
async function endWait(hasQueried: boolean, callback: OpenCallback, deps: PassiveReplyDeps): Promise<TakenReply | null> {
  const { received, hasGone } = callback;
  const { conversationId, openUntil } = received;
  if (!hasQueried && openUntil !== null) {
    const { isWaiting } = await deps.queues.closeCallback({ conversationId, openUntil });
    if (!isWaiting) return null;
    const taken = hasGone() ? "nothing" : await takeFrom(await query(callback, deps), callback, deps);
    if (typeof taken === "object") return taken;
  }
  await endReservation(received, deps);
  return null;
}

/**
 * Whether it is worth keeping the callback open. A desk that has not answered yet may bring a reply, and so may an agent who is there.
 * A contact who queues, or a closed desk, gets none soon, and where replies can be sent later the callback need not wait for them.
 */
function mayBeAnswered({ messageState, status, isDeskAway }: DeskProspect, { received, canSendAsync }: OpenCallback): boolean {
  if (!received.isForwarded) return false;
  if (messageState === "dead") return false;
  if (!canSendAsync) return true;
  if (messageState === "received") return !isDeskAway;
  return messageState === "forwarded" && mayStatusBeAnswered(status);
}
