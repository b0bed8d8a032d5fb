import type { OpenedCallback } from "../domain/channel.ts";
import { canReplyPassively } from "../domain/channel.ts";
import type { Connection } from "../domain/connection.ts";
import { concernsDesk } from "../domain/content.ts";
import type { Deliver } from "../domain/delivery.ts";
import { newMessageId, toConversationId } from "../domain/ids.ts";
import type { Signals, Subscription } from "../domain/signals.ts";
import type { InboundStore, RecordedInbound } from "../domain/store.ts";

export interface ReceiveDeps {
  inbound: InboundStore;
  signals: Signals;
  deliver: Deliver;
  now: () => Date;
}

/** A callback whose message is stored: from here on it survives any crash. */
export interface Received extends RecordedInbound {
  accountId: string;
  /** Whether the desk is asked, so that somebody may answer. */
  isForwarded: boolean;
  /** What has changed since just before it was stored, until the callback ends; null when it is not kept open. */
  changes: Subscription | null;
}

/**
 * Stores one opened callback, with the promise to hand it to the desk, and has that tried at once. A redelivery stores nothing
 * and is tried no second time; it may be kept open for a reply like the first. Failed, it leaves no subscription behind.
 */
export async function receive(
  { message, addressedApp = null }: Extract<OpenedCallback, { kind: "message" }>,
  { account, channel }: Pick<Connection, "account" | "channel">,
  { inbound, signals, deliver, now }: ReceiveDeps,
  waitMs: number,
): Promise<Received> {
  const conversationId = toConversationId(account.id, message.openId);
  const isForwarded = concernsDesk(message.content);
  const isKeptOpen = canReplyPassively(channel) && isForwarded && waitMs > 0;
  // Before it is stored: the answer of the database may be read after the signal of a reply that came later.
  const changes = isKeptOpen ? signals.subscribe(conversationId) : null;
  try {
    const recorded = await inbound.record({
      messageId: newMessageId(now()),
      conversationId,
      accountId: account.id,
      message,
      // An event that is not forwarded, such as a visit to another app, gets no answer, so it does not decide which app answers.
      addressedApp: isForwarded ? addressedApp : null,
      forward: isForwarded,
      openForMs: isKeptOpen ? Math.max(LOOK_MS, Math.floor(waitMs)) : 0,
      lookForMs: canReplyPassively(channel) ? LOOK_MS : 0,
      allowance: channel.replyAllowance(message.content),
    });
    if (recorded.isNew && isForwarded) deliver({ conversationId, accountId: account.id, direction: "inbound" });
    return { ...recorded, accountId: account.id, isForwarded, changes };
  } catch (error) {
    changes?.close();
    throw error;
  }
}

/** Long enough for one look: what was held shall leave with this callback, before a worker takes it elsewhere. */
const LOOK_MS = 300;
