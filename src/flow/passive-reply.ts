import { newHolder } from "../domain/ids.ts";
import type { Change } from "../domain/signals.ts";
import type { CallbackProspect, DeskProspect } from "../domain/store.ts";
import { endReservation } from "./end-reservation.ts";
import type { Received } from "./receive.ts";
import { LEASE_MS, type OpenCallback, type PassiveReplyDeps, repeatReply, type TakenReply, takeReply } from "./take-reply.ts";

/** Another process may take or bring a reply without a signal reaching us. */
const LOOK_AGAIN_MS = 500;

/** More would not fit into one reply. */
const ENTRIES_MAX = 20;

/** A first try that reserved nothing has nothing to find; a repetition may find the answer of the first. */
export function mayFindReply({ isNew, openUntil }: Received): boolean {
  return !isNew || openUntil !== null;
}

/**
 * Waits for something to say in the response of an open callback, as long as somebody may still say it. A passive reply is the
 * claim of the conversation's lane of replies by the callback: whatever stands first in it, and only in order. What is known without
 * a look is not looked up.
 * @returns null when there is nothing to say
 */
export async function passiveReply(callback: OpenCallback, deps: PassiveReplyDeps): Promise<TakenReply | null> {
  const { received, waitUntil, hasGone } = callback;
  const { changes } = received;
  try {
    let prospect: DeskProspect | CallbackProspect = toFirstProspect(received) ?? (await look(callback, deps));
    for (;;) {
      const taken = await takeFrom(prospect, callback, deps);
      if (typeof taken === "object") return taken;
      const leftMs = waitUntil.getTime() - deps.now().getTime();
      if (taken === "unfit" || leftMs <= 0 || changes === null || hasGone() || !mayBeAnswered(prospect, callback)) break;
      const changed = taken === "nothing" ? await changes.next(Math.min(leftMs, LOOK_AGAIN_MS)) : [];
      prospect = toNextProspect(changed, received) ?? (await look(callback, deps));
    }
    return await endWait("claim" in prospect, callback, deps);
  } finally {
    changes?.close();
  }
}

/** Nothing stood in the lane of replies when the message was stored, and for what comes later there is a signal. Null: a look is needed. */
function toFirstProspect({ isNew, hasReplies, isDeskAway }: Received): DeskProspect | null {
  return isNew && !hasReplies ? { messageState: "received", status: "unknown", isDeskAway } : null;
}

/** Null: a look is needed. */
function toNextProspect(changed: readonly Change[], { messageId }: Received): DeskProspect | null {
  let status: DeskProspect["status"] | undefined;
  for (const change of changed) {
    if (change.kind !== "forwarded" || change.messageId !== messageId) return null;
    status = change.status;
  }
  return status === undefined ? null : { messageState: "forwarded", status, isDeskAway: false };
}

function look({ received: { conversationId, messageId } }: OpenCallback, { outbox }: PassiveReplyDeps): Promise<CallbackProspect> {
  const holder = newHolder("callback");
  return outbox.claimForCallback({ conversationId, messageId, holder, entriesMax: ENTRIES_MAX, leaseMs: LEASE_MS });
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

/** Where nobody has looked, another process may have stored a reply whose signal is still on its way: that one rides along. */
async function endWait(hasLooked: boolean, callback: OpenCallback, deps: PassiveReplyDeps): Promise<TakenReply | null> {
  const { received, hasGone } = callback;
  const { conversationId, openUntil } = received;
  if (!hasLooked && openUntil !== null) {
    const { isWaiting } = await deps.outbox.closeCallback({ conversationId, openUntil });
    if (!isWaiting) return null;
    const taken = hasGone() ? "nothing" : await takeFrom(await look(callback, deps), callback, deps);
    if (typeof taken === "object") return taken;
  }
  await endReservation(received, deps);
  return null;
}

/**
 * Whether it is worth keeping the callback open. The desk that has not answered yet may bring a reply; an agent who is there
 * may; a queue or a closed desk will not, and when replies can be sent later nobody need wait for them now.
 */
function mayBeAnswered({ messageState, status, isDeskAway }: DeskProspect, { received, canSendAsync }: OpenCallback): boolean {
  if (!received.isForwarded) return false;
  if (messageState === "dead") return false;
  if (!canSendAsync) return true;
  if (messageState === "received") return !isDeskAway;
  return messageState === "forwarded" && (status === "chatting" || status === "unknown");
}
