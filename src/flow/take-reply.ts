import { retryUntil } from "../base/retry-until.ts";
import type { HttpBody, PassiveChannel, ReplyAddress } from "../domain/channel.ts";
import type { Deliver } from "../domain/delivery.ts";
import { DONE } from "../domain/outcome.ts";
import type { Answer, Claim, DueQueue, Settlement } from "../domain/queue.ts";
import { type Signals, SOMETHING } from "../domain/signals.ts";
import type { CallbackQueue } from "../domain/store.ts";
import { type Bundle, toBundle } from "./bundle.ts";
import { CALLBACK_LEASE_MS, SETTLE_MS } from "./deadlines.ts";
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
  /** Whether its response can carry nothing any more: WeChat has hung up, or its time is over. */
  isOver: () => boolean;
}

/** A reply that now belongs to this callback alone. Each of the three ends the reservation. */
export interface TakenReply {
  body: HttpBody;
  /** The response has left: the reply is sent. */
  confirm(): Promise<void>;
  /** It certainly was not given: it goes out another way. */
  withdraw(): Promise<void>;
  /** Some of the response may have left: the reply stays begun, to be repeated or found uncertain. */
  lose(): Promise<void>;
}

/**
 * Takes what stands first in the claimed queue for this callback alone; what it does not take is given back.
 * @returns "again" when the queue has passed to another holder or has moved, "unfit" when what stands first cannot ride on a response
 */
export async function takeReply(claim: Claim, callback: OpenCallback, deps: PassiveReplyDeps): Promise<TakenReply | "again" | "unfit"> {
  const { received, channel, replyTo, deadline, isOver, canSendAsync } = callback;
  const { queues, now } = deps;
  const lost = claim.messages[0]?.begun ? claim.messages[0] : undefined;
  if (lost !== undefined) {
    await settleLost(claim, lost, deps);
    return "again";
  }
  const bundle = toBundle(claim.messages, channel, canSendAsync);
  const createdAt = now();
  if (bundle === null || !channel.canRender(bundle.content) || createdAt >= deadline || isOver()) {
    await queues.release(claim);
    return bundle === null ? "again" : "unfit";
  }
  const { messages, content, progress } = bundle;
  const body = channel.renderReply(replyTo, content, createdAt);
  const messageIds = messages.map(({ message }) => message.id);
  const answer: Answer = { messageIds, content, createdAt, ...(progress === undefined ? {} : { progress }) };
  const taken: TakenReply = {
    body,
    confirm: () => retryUntil(() => confirm(claim, bundle, createdAt, callback, deps), SETTLE_MS),
    withdraw: () => retryUntil(() => withdraw(claim, callback, deps), SETTLE_MS),
    lose: () => endAndDeliver(received, deps),
  };
  const begun = queues.begin(claim, messages, "passive", CALLBACK_LEASE_MS, { inboundId: received.messageId, answer });
  // Without an answer it may be begun all the same; that would become a doubt about something that certainly was not given.
  const isBegun = await begun.catch((error: unknown) => taken.withdraw().then(() => Promise.reject(error)));
  if (!isBegun) {
    await queues.release(claim);
    return "again";
  }
  deps.signals.notify(received.conversationId, SOMETHING);
  return taken;
}

/**
 * This callback takes no reply any more: replies that wait for it, and later ones, go another way. Repeated, it changes nothing.
 * @returns whether replies wait
 */
export async function endReservation(
  { conversationId, openUntil }: Received,
  { queues }: { queues: Pick<CallbackQueue, "closeCallback"> },
): Promise<boolean> {
  return openUntil !== null && (await queues.closeCallback({ conversationId, openUntil })).isWaiting;
}

async function endAndDeliver(received: Received, deps: PassiveReplyDeps): Promise<void> {
  if (await endReservation(received, deps)) deps.deliver(toOutbound(received));
}

export function toOutbound({ conversationId, accountId }: Received): DueQueue {
  return { conversationId, accountId, direction: "outbound" };
}

/** All of it has left with one response, and is settled as one. */
async function confirm(claim: Claim, { messages, progress }: Bundle, startedAt: Date, { received }: OpenCallback, deps: PassiveReplyDeps) {
  const attempt = { startedAt, durationMs: deps.now().getTime() - startedAt.getTime() };
  const next: Settlement["next"] = progress === undefined ? { kind: "finished", state: "sent" } : { kind: "progressed", progress };
  const settlement: Settlement = { outcome: DONE, next, way: "passive", attempt, callbackOpenUntil: received.openUntil };
  if ((await deps.queues.settle(claim, messages, settlement, { keepForMs: null })) === null) {
    // The claim has passed to a repetition of this callback, which may not live to say so.
    await confirmAnswer(received, deps);
  }
  signalAndDeliver(received, deps);
}

/** The reservation ends also where the reply is a repetition's by now. */
async function withdraw(claim: Claim, { received }: OpenCallback, deps: PassiveReplyDeps): Promise<void> {
  await deps.queues.withdraw(claim, received.messageId);
  await endReservation(received, deps);
  signalAndDeliver(received, deps);
}

/** The same words for a callback that WeChat repeats: it did not take the first response. */
export function repeatReply(
  { content, createdAt }: Answer,
  { received, channel, replyTo }: OpenCallback,
  deps: PassiveReplyDeps,
): TakenReply {
  return {
    body: channel.renderReply(replyTo, content, createdAt),
    confirm: async () => {
      await retryUntil(() => confirmAnswer(received, deps), SETTLE_MS);
      signalAndDeliver(received, deps);
    },
    // It may have been given by the first response.
    withdraw: () => endAndDeliver(received, deps),
    lose: () => endAndDeliver(received, deps),
  };
}

async function confirmAnswer(received: Received, deps: PassiveReplyDeps): Promise<void> {
  await deps.queues.confirmAnswer(received.messageId);
  await endReservation(received, deps);
}

/** Other open callbacks of the contact, and a worker, go on with the queue. */
function signalAndDeliver(received: Received, { signals, deliver }: PassiveReplyDeps): void {
  signals.notify(received.conversationId, SOMETHING);
  deliver(toOutbound(received));
}
