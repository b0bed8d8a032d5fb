import { isDeepStrictEqual } from "node:util";
import { retryUntil } from "../base/retry-until.ts";
import type { Connection } from "../domain/connection.ts";
import type { OpenedPush, PushedReply } from "../domain/desk.ts";
import { newMessageId, toConversationId } from "../domain/ids.ts";
import type { NewReply } from "../domain/store.ts";
import { type EnqueueDeps, enqueueReplies } from "./enqueue-replies.ts";

export interface AcceptPushDeps extends EnqueueDeps {
  now: () => Date;
}

export interface AcceptedPush {
  /** Of the stored replies; older ones where the push repeats them. */
  messageIds: string[];
  /** Those of them that the push only repeats. */
  repeatedIds: string[];
  /** To be called when the desk has its answer: from then on an equal push is a new one. */
  answered(): Promise<void>;
}

/** How long to try to write down that a push was answered; a restart of the database fits in. */
const MARK_MS = 10_000;

/**
 * Stores what a desk pushed, in its order, each reply with its place in the queue, and has them relayed at once. The replies to one contact
 * are stored together or not at all. Repeated, it stores nothing new (docs/adr/0006). Durable when it returns.
 */
export async function acceptPush({ replies }: OpenedPush, connection: Connection, deps: AcceptPushDeps): Promise<AcceptedPush> {
  // At once: the store writes those of different contacts with one statement, however many there are.
  const accepted = await Promise.all(
    [...groupByContact(replies)].map(([openId, ofContact]) => acceptReplies(openId, ofContact, connection, deps)),
  );
  const stored = accepted.flatMap((each) => each.stored);
  return {
    messageIds: stored.map(({ messageId }) => messageId),
    repeatedIds: stored.flatMap(({ messageId, isNew }) => (isNew ? [] : messageId)),
    answered: () => retryUntil(() => markAnswered(accepted, deps), MARK_MS),
  };
}

interface Accepted {
  conversationId: string;
  stored: { messageId: string; isNew: boolean }[];
  /** Those without an id of the desk's: the next equal push has to know whether they were answered. */
  withoutId: string[];
}

function groupByContact(replies: readonly PushedReply[]): Map<string, PushedReply[]> {
  const groups = new Map<string, PushedReply[]>();
  for (const reply of replies) groups.set(reply.openId, [...(groups.get(reply.openId) ?? []), reply]);
  return groups;
}

async function acceptReplies(
  openId: string,
  pushed: readonly PushedReply[],
  { account }: Connection,
  deps: AcceptPushDeps,
): Promise<Accepted> {
  const { outbound, now } = deps;
  const conversationId = toConversationId(account.id, openId);
  const conversation = { conversationId, accountId: account.id, openId };
  const replies = pushed.flatMap(({ pushId, content }): NewReply | [] => {
    if (content === null) return [];
    return { messageId: newMessageId(now()), content, dedupeKey: pushId === null ? null : `push:${openId}:${pushId}` };
  });
  const stored = replies.length === 0 ? [] : await enqueueReplies({ ...conversation, origin: "agent", replies }, deps);
  // The report of a repeated push may be stale by now.
  const isNews = stored.length === 0 || stored.some(({ isNew }) => isNew);
  if (isNews) for (const report of toReports(pushed)) await outbound.report(conversation, report);
  if (stored.length === 0) return { conversationId, stored, withoutId: [] };
  return {
    conversationId,
    stored,
    withoutId: stored.flatMap(({ messageId }, index) => (replies[index]?.dedupeKey === null ? messageId : [])),
  };
}

/** The push's reports on the conversation, in their order; equal reports in a row count once. */
function toReports(pushed: readonly PushedReply[]) {
  const reports = pushed.flatMap(({ report }) => report ?? []);
  return reports.filter((report, index) => !isDeepStrictEqual(report, reports[index - 1]));
}

async function markAnswered(accepted: readonly Accepted[], { outbound }: AcceptPushDeps): Promise<void> {
  const pushes = accepted.filter(({ withoutId }) => withoutId.length > 0);
  await Promise.all(pushes.map(({ conversationId, withoutId }) => outbound.markAnswered({ conversationId, messageIds: withoutId })));
}
