import type { OpenedCallback } from "../domain/channel.ts";
import { canReplyPassively } from "../domain/channel.ts";
import type { Connection } from "../domain/connection.ts";
import { concernsDesk } from "../domain/content.ts";
import { mayBeAnswered } from "../domain/conversation.ts";
import type { Deliver, Reserve } from "../domain/delivery.ts";
import { newMessageId, toConversationId } from "../domain/ids.ts";
import type { Claim } from "../domain/queue.ts";
import type { Signals, Subscription } from "../domain/signals.ts";
import type { InboundStore, RecordedInbound } from "../domain/store.ts";
import { QUERY_MS } from "./deadlines.ts";

export interface ReceiveDeps {
  inbound: InboundStore;
  signals: Signals;
  deliver: Deliver;
  reserve: Reserve;
  now: () => Date;
}

/** A callback whose message is stored: from here on it survives any crash. */
export interface Received extends RecordedInbound {
  accountId: string;
  /** Whether the message goes to the desk, so that an agent may answer. */
  isForwarded: boolean;
  /** What has changed since just before it was stored, until the callback ends; null when it is not kept open. */
  changes: Subscription | null;
}

/**
 * Stores one opened callback with its place in the inbound queue, and has it forwarded at once: from memory where a slot is free. A
 * redelivery stores nothing and is not forwarded again; it may be kept open for a reply like the first. The subscription is the caller's
 * to close; when this fails it leaves none behind.
 */
export async function receive(
  { message, addressedApp = null }: Extract<OpenedCallback, { kind: "message" }>,
  { account, channel }: Pick<Connection, "account" | "channel">,
  { inbound, signals, deliver, reserve, now }: ReceiveDeps,
  waitMs: number,
): Promise<Received> {
  const conversationId = toConversationId(account.id, message.openId);
  const isForwarded = concernsDesk(message.content);
  const isKeptOpen = canReplyPassively(channel) && isForwarded && waitMs > 0;
  // Before it is stored: the answer of the database may be read after the signal of a reply that came later.
  const changes = isKeptOpen ? signals.subscribe(conversationId) : null;
  const slot = isForwarded ? reserve({ accountId: account.id, direction: "inbound" }) : null;
  try {
    const recorded = await inbound.record({
      messageId: newMessageId(now()),
      conversationId,
      accountId: account.id,
      message,
      // An event that is not forwarded, such as a visit to another app, gets no answer, so it does not decide which app answers.
      addressedApp: isForwarded ? addressedApp : null,
      forward: isForwarded,
      holder: slot?.holder ?? null,
      openForMs: isKeptOpen ? Math.max(QUERY_MS, Math.floor(waitMs)) : 0,
      openForQueryMs: canReplyPassively(channel) ? QUERY_MS : 0,
      allowance: channel.replyAllowance(message.content),
    });
    if (recorded.claim !== null) slot?.work(withCallback(recorded.claim, recorded.openUntil, account.replies.async));
    else slot?.giveBack();
    // Without a slot the message is due at once. With one, the queue was not empty, and its holder sees that more waits.
    if (recorded.isNew && isForwarded && slot === null) deliver({ conversationId, accountId: account.id, direction: "inbound" });
    return { ...recorded, accountId: account.id, isForwarded, changes };
  } catch (error) {
    changes?.close();
    slot?.lose({ conversationId, direction: "inbound" });
    throw error;
  }
}

/**
 * The callback need not stay open once the desk has said that no agent is there: its reservation then ends with the settle. Where this
 * response is the only way for replies, it waits for one all the same.
 */
function withCallback(claim: Claim, openUntil: Date | null, canSendAsync: boolean): Claim {
  if (openUntil === null || !canSendAsync) return claim;
  return { ...claim, callback: { openUntil, endsWith: (status) => !mayBeAnswered(status) } };
}
