import type { Connection } from "../domain/connection.ts";
import type { Deliver } from "../domain/delivery.ts";
import type { OpenedPush, PushedReply } from "../domain/desk.ts";
import { newMessageId, toConversationId } from "../domain/ids.ts";
import type { Signals } from "../domain/signals.ts";
import type { OutboundStore } from "../domain/store.ts";

export interface AcceptPushDeps {
  outbound: OutboundStore;
  signals: Signals;
  deliver: Deliver;
  now: () => Date;
}

/** A push without an id that says the same to the same contact within this time is the desk's retry, not an agent's echo. */
const REPEAT_WINDOW_MS = 10_000;

/**
 * Stores what a desk pushed, in its order, each reply with its outbox entry, and has them relayed at once. Repeated, it stores
 * nothing new. Durable when it returns.
 * @returns the ids of the stored replies, older ones where the push repeats them
 */
export async function acceptPush({ replies }: OpenedPush, connection: Connection, deps: AcceptPushDeps): Promise<string[]> {
  const messageIds: string[] = [];
  for (const reply of replies) {
    const messageId = await acceptReply(reply, connection, deps);
    if (messageId !== null) messageIds.push(messageId);
  }
  return messageIds;
}

async function acceptReply(
  { openId, pushId, content, report }: PushedReply,
  { account }: Connection,
  { outbound, signals, deliver, now }: AcceptPushDeps,
): Promise<string | null> {
  const conversationId = toConversationId(account.id, openId);
  const conversation = { conversationId, accountId: account.id, openId };
  if (report !== null) await outbound.report(conversation, report, now());
  if (content === null) return null;
  const { messageId } = await outbound.enqueue({
    ...conversation,
    messageId: newMessageId(now()),
    origin: "agent",
    content,
    dedupeKey: pushId === null ? null : `push:${openId}:${pushId}`,
    repeatWindowMs: REPEAT_WINDOW_MS,
  });
  signals.notify(conversationId);
  deliver({ conversationId, accountId: account.id, direction: "outbound" });
  return messageId;
}
