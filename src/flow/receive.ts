import type { Channel, OpenedCallback } from "../domain/channel.ts";
import { canReplyPassively } from "../domain/channel.ts";
import type { Connection } from "../domain/connection.ts";
import { concernsDesk } from "../domain/content.ts";
import type { Deliver } from "../domain/delivery.ts";
import { newMessageId, toConversationId } from "../domain/ids.ts";
import type { InboundStore } from "../domain/store.ts";

export interface ReceiveDeps {
  inbound: InboundStore;
  deliver: Deliver;
  now: () => Date;
}

/** A callback whose message is stored: from here on it survives any crash. */
export interface Received {
  messageId: string;
  conversationId: string;
  isNew: boolean;
  /** How long ago it was first stored. */
  ageMs: number;
  /** Whether the desk is asked, so that somebody may answer. */
  isForwarded: boolean;
  /** Until when replies wait for this callback; null when it is not kept open. */
  openUntil: Date | null;
}

/**
 * Stores one opened callback, with the promise to hand it to the desk, and has that tried at once. A redelivery stores nothing
 * and is tried no second time; it may be kept open for a reply like the first.
 */
export async function receive(
  { message }: Extract<OpenedCallback, { kind: "message" }>,
  { account, channel }: Connection,
  { inbound, deliver, now }: ReceiveDeps,
  waitMs: number,
): Promise<Received> {
  const conversationId = toConversationId(account.id, message.openId);
  const isForwarded = concernsDesk(message.content);
  const recorded = await inbound.record({
    messageId: newMessageId(now()),
    conversationId,
    accountId: account.id,
    message,
    forward: isForwarded,
    openForMs: openForMs(channel, isForwarded ? waitMs : 0),
    allowance: channel.replyAllowance(message.content),
  });
  if (recorded.isNew && isForwarded) deliver({ conversationId, direction: "inbound" });
  return {
    messageId: recorded.messageId,
    conversationId,
    isNew: recorded.isNew,
    ageMs: recorded.ageMs,
    isForwarded,
    openUntil: recorded.openUntil,
  };
}

/** Long enough for one look: what was held shall leave with this callback, before a worker takes it elsewhere. */
const LOOK_MS = 300;

function openForMs(channel: Channel, waitMs: number): number {
  return canReplyPassively(channel) ? Math.max(LOOK_MS, Math.floor(waitMs)) : 0;
}
