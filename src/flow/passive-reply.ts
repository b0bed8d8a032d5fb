import type { HttpBody, PassiveChannel, ReplyAddress } from "../domain/channel.ts";
import type { Deliver } from "../domain/delivery.ts";
import { newHolder } from "../domain/ids.ts";
import type { Answer, Claim, Settlement } from "../domain/outbox.ts";
import { DONE } from "../domain/outcome.ts";
import { persist } from "../domain/persist.ts";
import type { Change, Signals } from "../domain/signals.ts";
import type { CallbackProspect, DeskProspect, OutboxStore } from "../domain/store.ts";
import { type Bundle, toBundle } from "./bundle.ts";
import { endReservation } from "./end-reservation.ts";
import type { Received } from "./receive.ts";
import { settleLost } from "./sender-lost.ts";

export interface PassiveReplyDeps {
  outbox: OutboxStore;
  signals: Signals;
  deliver: Deliver;
  now: () => Date;
}

export interface OpenCallback {
  received: Received;
  channel: PassiveChannel;
  replyTo: ReplyAddress;
  /** Whether replies can also go another way, so that waiting in vain costs nothing but time. */
  canSendAsync: boolean;
  /** When the wait ends, and until when the taking of a reply must be finished. */
  waitUntil: Date;
  deadline: Date;
  /** Whether the other side has gone. */
  hasGone: () => boolean;
}

/** A reply that now belongs to this callback alone. */
export interface TakenReply {
  body: HttpBody;
  /** The response has left: the reply is sent. Not called, the reply stays begun, to be repeated or found uncertain. */
  confirm(): Promise<void>;
  /** It certainly was not given: it goes out another way. */
  withdraw(): Promise<void>;
}

/** Another process may take or bring a reply without a signal reaching us. */
const LOOK_AGAIN_MS = 500;

/** What it may take to write down how it ended, a restart of the database included; within the lease. */
const END_MS = 10_000;

/** More would not fit into one reply. */
const ENTRIES_MAX = 20;

/** Longer than a callback and WeChat's next try of it together, so that a repetition finds the answer, not a doubt. */
const LEASE_MS = 15_000;

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
    let prospect = toFirstProspect(received) ?? (await look(callback, deps));
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
function toFirstProspect({ isNew, hasReplies, isDeskAway }: Received): DeskProspect | CallbackProspect | null {
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
  if (prospect.answer === null) return prospect.claim === null ? "nothing" : take(prospect.claim, callback, deps);
  // It has what it waited for: further replies need not wait for it.
  await endReservation(callback.received, deps);
  return repeat(prospect.answer, callback, deps);
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

/** "again" when the lane was taken by somebody else or has moved, "unfit" when what stands first cannot ride on a response. */
async function take(claim: Claim, callback: OpenCallback, deps: PassiveReplyDeps): Promise<TakenReply | "again" | "unfit"> {
  const { received, channel, replyTo, deadline, hasGone, canSendAsync } = callback;
  const { outbox, now } = deps;
  const lost = claim.entries[0]?.begun ? claim.entries[0] : undefined;
  if (lost !== undefined) {
    await settleLost(claim, lost, deps);
    return "again";
  }
  const bundle = toBundle(claim.entries, channel, canSendAsync);
  const createdAt = now();
  if (bundle === null || !channel.canRender(bundle.content) || createdAt >= deadline || hasGone()) {
    await outbox.release(claim);
    return bundle === null ? "again" : "unfit";
  }
  const { entries, content, progress } = bundle;
  const body = channel.renderReply(replyTo, content, createdAt);
  const messageIds = entries.map(({ message }) => message.id);
  const answer: Answer = { messageIds, content, createdAt, ...(progress === undefined ? {} : { progress }) };
  const taken: TakenReply = {
    body,
    confirm: () => persist(() => confirm(claim, bundle, createdAt, callback, deps), END_MS),
    withdraw: () => persist(() => withdraw(claim, callback, deps), END_MS),
  };
  const begun = outbox.begin(claim, entries, "passive", LEASE_MS, { inboundId: received.messageId, answer });
  // Without an answer it may be begun all the same; that would become a doubt about something that certainly was not given.
  const isBegun = await begun.catch((error: unknown) => taken.withdraw().then(() => Promise.reject(error)));
  if (!isBegun) {
    await outbox.release(claim);
    return "again";
  }
  deps.signals.notify(received.conversationId);
  if (!hasGone()) return taken;
  // WeChat hung up meanwhile: nothing was written, so nothing can have been read.
  await taken.withdraw();
  return "again";
}

/** All of it has left with one response, and is settled as one. */
async function confirm(claim: Claim, { entries, progress }: Bundle, startedAt: Date, callback: OpenCallback, deps: PassiveReplyDeps) {
  const { conversationId, openUntil } = callback.received;
  const attempt = { startedAt, durationMs: deps.now().getTime() - startedAt.getTime() };
  const next: Settlement["next"] = progress === undefined ? { kind: "finished", state: "sent" } : { kind: "progressed", progress };
  const settlement: Settlement = { outcome: DONE, next, way: "passive", attempt, callbackOpenUntil: openUntil };
  if ((await deps.outbox.settleTogether(claim, entries, settlement)) === null) {
    // The claim has passed to a repetition of this callback, which may not live to say so.
    await deps.outbox.confirmAnswer(callback.received.messageId);
    await endReservation(callback.received, deps);
  }
  deps.signals.notify(conversationId);
  deps.deliver({ conversationId, direction: "outbound" });
}

/** The reservation ends also where the reply is a repetition's by now. */
async function withdraw(claim: Claim, callback: OpenCallback, deps: PassiveReplyDeps): Promise<void> {
  const { conversationId, messageId } = callback.received;
  await deps.outbox.withdraw(claim, messageId);
  await endReservation(callback.received, deps);
  deps.signals.notify(conversationId);
  deps.deliver({ conversationId, direction: "outbound" });
}

/** The same words for a callback that WeChat repeats: it did not take the first response. */
function repeat(
  { content, createdAt }: Answer,
  { received, channel, replyTo }: OpenCallback,
  { outbox, signals, deliver }: PassiveReplyDeps,
): TakenReply {
  const { conversationId, messageId } = received;
  return {
    body: channel.renderReply(replyTo, content, createdAt),
    confirm: async () => {
      await persist(() => outbox.confirmAnswer(messageId), END_MS);
      signals.notify(conversationId);
      deliver({ conversationId, direction: "outbound" });
    },
    withdraw: async () => {},
  };
}
