import { retryUntil } from "../base/retry-until.ts";
import type { HttpBody, PassiveChannel, ReplyAddress } from "../domain/channel.ts";
import type { Deliver } from "../domain/delivery.ts";
import { DONE } from "../domain/outcome.ts";
import type { Answer, Claim, Settlement } from "../domain/queue.ts";
import { type Signals, SOMETHING } from "../domain/signals.ts";
import type { CallbackQueue } from "../domain/store.ts";
import { type Bundle, toBundle } from "./bundle.ts";
import { endReservation } from "./end-reservation.ts";
import type { Received } from "./receive.ts";
import { settleLost } from "./sender-lost.ts";

export interface PassiveReplyDeps {
  queues: CallbackQueue;
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

/** What it may take to write down how it ended, a restart of the database included; within the lease. */
const END_MS = 10_000;

/** Longer than a callback and WeChat's next try of it together, so that a repetition finds the answer, not a doubt. */
export const LEASE_MS = 15_000;

/**
 * Takes what stands first in the claimed queue for this callback alone; what it does not take is given back.
 * @returns "again" when the queue has passed to another holder or has moved, "unfit" when what stands first cannot ride on a response
 */
export async function takeReply(claim: Claim, callback: OpenCallback, deps: PassiveReplyDeps): Promise<TakenReply | "again" | "unfit"> {
  const { received, channel, replyTo, deadline, hasGone, canSendAsync } = callback;
  const { queues, now } = deps;
  const lost = claim.messages[0]?.begun ? claim.messages[0] : undefined;
  if (lost !== undefined) {
    await settleLost(claim, lost, deps);
    return "again";
  }
  const bundle = toBundle(claim.messages, channel, canSendAsync);
  const createdAt = now();
  if (bundle === null || !channel.canRender(bundle.content) || createdAt >= deadline || hasGone()) {
    await queues.release(claim);
    return bundle === null ? "again" : "unfit";
  }
  const { messages, content, progress } = bundle;
  const body = channel.renderReply(replyTo, content, createdAt);
  const messageIds = messages.map(({ message }) => message.id);
  const answer: Answer = { messageIds, content, createdAt, ...(progress === undefined ? {} : { progress }) };
  const taken: TakenReply = {
    body,
    confirm: () => retryUntil(() => confirm(claim, bundle, createdAt, callback, deps), END_MS),
    withdraw: () => retryUntil(() => withdraw(claim, callback, deps), END_MS),
  };
  const begun = queues.begin(claim, messages, "passive", LEASE_MS, { inboundId: received.messageId, answer });
  // Without an answer it may be begun all the same; that would become a doubt about something that certainly was not given.
  const isBegun = await begun.catch((error: unknown) => taken.withdraw().then(() => Promise.reject(error)));
  if (!isBegun) {
    await queues.release(claim);
    return "again";
  }
  deps.signals.notify(received.conversationId, SOMETHING);
  if (!hasGone()) return taken;
  // WeChat hung up meanwhile: nothing was written, so nothing can have been read.
  await taken.withdraw();
  return "again";
}

/** All of it has left with one response, and is settled as one. */
async function confirm(claim: Claim, { messages, progress }: Bundle, startedAt: Date, callback: OpenCallback, deps: PassiveReplyDeps) {
  const { conversationId, accountId, openUntil } = callback.received;
  const attempt = { startedAt, durationMs: deps.now().getTime() - startedAt.getTime() };
  const next: Settlement["next"] = progress === undefined ? { kind: "finished", state: "sent" } : { kind: "progressed", progress };
  const settlement: Settlement = { outcome: DONE, next, way: "passive", attempt, callbackOpenUntil: openUntil };
  if ((await deps.queues.settle(claim, messages, settlement, { keepForMs: null })) === null) {
    // The claim has passed to a repetition of this callback, which may not live to say so.
    await deps.queues.confirmAnswer(callback.received.messageId);
    await endReservation(callback.received, deps);
  }
  deps.signals.notify(conversationId, SOMETHING);
  deps.deliver({ conversationId, accountId, direction: "outbound" });
}

/** The reservation ends also where the reply is a repetition's by now. */
async function withdraw(claim: Claim, callback: OpenCallback, deps: PassiveReplyDeps): Promise<void> {
  const { conversationId, accountId, messageId } = callback.received;
  await deps.queues.withdraw(claim, messageId);
  await endReservation(callback.received, deps);
  deps.signals.notify(conversationId, SOMETHING);
  deps.deliver({ conversationId, accountId, direction: "outbound" });
}

/** The same words for a callback that WeChat repeats: it did not take the first response. */
export function repeatReply(
  { content, createdAt }: Answer,
  { received, channel, replyTo }: OpenCallback,
  { queues, signals, deliver }: PassiveReplyDeps,
): TakenReply {
  const { conversationId, accountId, messageId } = received;
  return {
    body: channel.renderReply(replyTo, content, createdAt),
    confirm: async () => {
      await retryUntil(() => queues.confirmAnswer(messageId), END_MS);
      signals.notify(conversationId, SOMETHING);
      deliver({ conversationId, accountId, direction: "outbound" });
    },
    withdraw: async () => {},
  };
}
