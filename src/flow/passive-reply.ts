import { mayBeAnswered as mayStatusBeAnswered } from "../domain/conversation.ts";
import { newHolder } from "../domain/ids.ts";
import type { Change } from "../domain/signals.ts";
import type { CallbackProspect, DeskProspect } from "../domain/store.ts";
import { CALLBACK_LEASE_MS } from "./deadlines.ts";
import type { Received } from "./receive.ts";
import { type OpenCallback, type PassiveReplyDeps, repeatReply, type TakenReply, takeReply } from "./take-reply.ts";

/** Another process may take or bring a reply without a signal reaching us. */
const POLL_MS = 500;

/** More would not fit into one reply. */
const MESSAGES_MAX = 20;

/** A first try that reserved nothing has nothing to find; a repetition may find the answer of the first. */
export function mayFindReply({ isNew, openUntil }: Received): boolean {
  return !isNew || openUntil !== null;
}

/** How a wait ended. */
export type Waited =
  | { kind: "taken"; reply: TakenReply }
  /** A query found nothing to take. */
  | { kind: "nothing" }
  /** No query was made since the last signal, or none at all. */
  | { kind: "untold" }
  /** The settle of the message has ended the reservation as well. */
  | { kind: "closed" };

/**
 * Waits for a reply to send in the response of an open callback, as long as one may still come. A passive reply is a claim of the
 * conversation's outbound queue by the callback: it takes the head, and only in order. The store is queried only where the record or a
 * signal does not tell already.
 */
export async function passiveReply(callback: OpenCallback, deps: PassiveReplyDeps): Promise<Waited> {
  const { received, waitUntil, isOver } = callback;
  let prospect: DeskProspect | CallbackProspect | null = toFirstProspect(received);
  while (!isOver()) {
    prospect ??= await query(callback, deps);
    const taken = await takeFrom(prospect, callback, deps);
    if (typeof taken === "object") return { kind: "taken", reply: taken };
    const leftMs = waitUntil.getTime() - deps.now().getTime();
    if (taken === "unfit" || leftMs <= 0 || received.changes === null || !mayBeAnswered(prospect, callback)) {
      return { kind: "claim" in prospect ? "nothing" : "untold" };
    }
    const changed = taken === "nothing" ? await received.changes.next(Math.min(leftMs, POLL_MS)) : [];
    if (isClosed(changed, received)) return { kind: "closed" };
    prospect = toNextProspect(changed, received);
  }
  return { kind: "untold" };
}

/** Takes what waits already. */
export async function takeWaiting(callback: OpenCallback, deps: PassiveReplyDeps): Promise<TakenReply | null> {
  const taken = await takeFrom(await query(callback, deps), callback, deps);
  return typeof taken === "object" ? taken : null;
}

/** The outbound queue was empty when the message was stored, and later replies come with a signal. Null: a query is needed. */
function toFirstProspect({ isNew, hasReplies, isDeskAway }: Received): DeskProspect | null {
  return isNew && !hasReplies ? { messageState: "received", status: "unknown", isDeskAway } : null;
}

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
  return queues.claimForCallback({ conversationId, messageId, holder, messagesMax: MESSAGES_MAX, leaseMs: CALLBACK_LEASE_MS });
}

async function takeFrom(
  prospect: DeskProspect | CallbackProspect,
  callback: OpenCallback,
  deps: PassiveReplyDeps,
): Promise<TakenReply | "nothing" | "again" | "unfit"> {
  if (!("claim" in prospect)) return "nothing";
  if (prospect.answer !== null) return repeatReply(prospect.answer, callback, deps);
  return prospect.claim === null ? "nothing" : takeReply(prospect.claim, callback, deps);
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
