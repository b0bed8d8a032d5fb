import { createHash } from "node:crypto";
import type { AuditAction } from "../../domain/audit.ts";
import { toReadableText } from "../../domain/content.ts";
import type { NewReplies, OutboundStore, StoredReply } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { BATCH_OPTIONS } from "../database/batch-options.ts";
import { inBatches } from "../database/in-batches.ts";
import { toRowsParameter } from "../database/rows-parameter.ts";
import { report } from "../report.ts";
import { markAnswered } from "./mark-answered.ts";

/** A desk is told within a second that nothing was stored. */
const WAIT_MS_MAX = 900;

export function createOutboundStore(prisma: PrismaClient): OutboundStore {
  const enqueue = inBatches((pushes: readonly Push[]) => enqueueAll(prisma, pushes), {
    ...BATCH_OPTIONS,
    // The second push of a conversation finds the first: it may be the same once more.
    keyOf: ({ conversationId }) => conversationId,
    waitMsMax: WAIT_MS_MAX,
  });
  return {
    enqueue: (replies) => enqueue({ ...replies, askedAtMs: performance.now() }),
    markAnswered: markAnswered(prisma),
    report: report(prisma),
  };
}

interface Push extends NewReplies {
  /** By the monotonic clock. */
  askedAtMs: number;
}

async function enqueueAll(prisma: PrismaClient, pushes: readonly Push[]): Promise<StoredReply[][]> {
  const rows = pushes.flatMap(toRows).map((row, position) => ({ ...row, position }));
  const stored = await enqueueOnce(prisma, rows);
  const missing = rows.filter(({ position }) => !stored.has(position));
  // The second run is for those that another process stored in this very moment.
  const later = missing.length === 0 ? stored : await enqueueOnce(prisma, missing);
  const found = rows.map(({ position }) => {
    const reply = stored.get(position) ?? later.get(position);
    if (reply === undefined) throw new Error("a reply was neither stored nor found");
    return reply;
  });
  await countRepetitions(prisma, found);
  return pushes.map(({ replies }) => found.splice(0, replies.length));
}

/**
 * An answer to a push may still be under way to the desk for this long after it was written: an equal push that comes until then is taken
 * for a repetition, as one that has no answer yet. How long a push has waited here does not count.
 */
const ANSWER_UNDER_WAY_MS = 1_000;

/** A desk has repeated a push that it had no answer to by then. That one was answered may not have been written down: a process died. */
const UNANSWERED_MS_MAX = 3_600_000;

/**
 * Stores each reply with its entry unless it is a repetition; of those that a concurrent process stored meanwhile the answer says
 * nothing. A reply without a key of its own is a repetition when its whole push equals the last one of the conversation, that one has
 * not been answered, and nothing else has happened since (docs/adr/0006): all of that is read from the locked row of the
 * conversation, where a concurrent push or callback has left its mark too. While replies of a conversation are held, a new one waits
 * behind them with their reason. Locks as everywhere.
 */
async function enqueueOnce(prisma: PrismaClient, rows: readonly object[]): Promise<Map<number, StoredReply>> {
  const found = await prisma.$queryRaw<{ position: number; id: string; is_new: boolean }[]>`
    WITH given AS (
      SELECT * FROM json_to_recordset(${toRowsParameter(rows)}::json) AS t(
        position int, message_id text, conversation_id text, account_id text, open_id text, origin text, type text, text text, content jsonb,
        dedupe_key text, push_digest text, nth int, waited_ms float8, actor text, actor_name text)
    ), known AS (
      SELECT given.*, m.id AS known_id
      FROM given LEFT JOIN LATERAL (
        SELECT id FROM messages WHERE account_id = given.account_id AND dedupe_key = given.dedupe_key LIMIT 1
      ) m ON true
    ), push AS (
      SELECT conversation_id, account_id, open_id, push_digest, bool_or(known_id IS NULL) AS is_new, max(waited_ms) AS waited_ms,
        array_agg(message_id ORDER BY nth) FILTER (WHERE dedupe_key IS NULL) AS message_ids
      FROM known GROUP BY conversation_id, account_id, open_id, push_digest
    ), conversation AS (
      INSERT INTO conversations AS c (id, account_id, open_id, push_digest, push_message_ids, pushed_at)
      SELECT conversation_id, account_id, open_id, push_digest, message_ids, now() FROM push ORDER BY conversation_id
      ON CONFLICT (id) DO UPDATE SET
        updated_at = now(),
        (push_digest, push_message_ids, pushed_at, push_answered_at) = (
          SELECT CASE WHEN is_last THEN c.push_digest ELSE excluded.push_digest END,
                 CASE WHEN is_last THEN c.push_message_ids ELSE excluded.push_message_ids END,
                 CASE WHEN is_last THEN c.pushed_at ELSE excluded.pushed_at END,
                 CASE WHEN is_last THEN c.push_answered_at END
          FROM (
            SELECT CASE
              -- Ids tell by themselves; a repetition found by its ids leaves what was last as it is.
              WHEN excluded.push_digest IS NULL THEN NOT is_new
              ELSE COALESCE(c.push_digest = excluded.push_digest AND c.pushed_at > now() - ${UNANSWERED_MS_MAX}::int * interval '1 millisecond' AND (
                c.push_answered_at IS NULL
                OR c.push_answered_at > now() - (waited_ms + ${ANSWER_UNDER_WAY_MS}::int) * interval '1 millisecond'), false)
              END AS is_last
            FROM push WHERE conversation_id = c.id LIMIT 1
          ) last)
      RETURNING id, push_message_ids
    ), input AS (
      SELECT known.*, held.error, held.error_code,
        COALESCE(known_id, CASE WHEN dedupe_key IS NULL THEN NULLIF(c.push_message_ids[nth], known.message_id) END) AS repeated_id
      FROM known CROSS JOIN LATERAL (
        SELECT push_message_ids FROM conversation WHERE id = known.conversation_id LIMIT 1
      ) c LEFT JOIN LATERAL (
        SELECT e.message_id
        FROM outbox_lanes l JOIN outbox_entries e ON e.conversation_id = l.conversation_id AND e.direction = l.direction
        WHERE l.conversation_id = known.conversation_id AND l.direction = 'outbound' AND l.due_at IS NULL
        ORDER BY e.id LIMIT 1
      ) parked ON true LEFT JOIN LATERAL (
        SELECT m.error, m.error_code FROM messages m WHERE m.id = parked.message_id AND m.state = 'held' LIMIT 1
      ) held ON true
      -- Counted, so that all of them are locked before any lane is.
      WHERE (SELECT count(*) FROM conversation) > 0
    ), message AS (
      INSERT INTO messages (id, account_id, conversation_id, direction, origin, dedupe_key, type, text, content, state, error, error_code, sent_at)
      SELECT message_id, account_id, conversation_id, 'outbound', origin, dedupe_key, type, text, content,
             CASE WHEN error_code IS NULL THEN 'queued' ELSE 'held' END, error, error_code, now()
      FROM input WHERE repeated_id IS NULL ORDER BY position
      ON CONFLICT (account_id, dedupe_key) DO NOTHING
      RETURNING id, conversation_id, account_id, state
    ), lane AS (
      INSERT INTO outbox_lanes AS l (conversation_id, account_id, direction, due_at, pending)
      SELECT conversation_id, account_id, 'outbound', CASE WHEN min(state) = 'queued' THEN now() END, count(*)
      FROM message GROUP BY conversation_id, account_id ORDER BY conversation_id
      ON CONFLICT (conversation_id, direction) DO UPDATE SET
        pending = l.pending + excluded.pending,
        due_at = COALESCE(l.due_at, CASE
          WHEN excluded.due_at IS NOT NULL THEN GREATEST(excluded.due_at, (SELECT max(u) FROM unnest(l.callbacks_open_until) u)) END)
    ), entry AS (
      INSERT INTO outbox_entries (conversation_id, direction, message_id) SELECT conversation_id, 'outbound', id FROM message
    ), audit AS (
      INSERT INTO audit_entries (actor, actor_name, action, account_id, subject, detail)
      SELECT actor, actor_name, ${"message.written" satisfies AuditAction}, account_id, message_id, '{}' FROM input
      WHERE actor IS NOT NULL AND message_id IN (SELECT id FROM message)
    )
    SELECT position, COALESCE(repeated_id, message_id) AS id, repeated_id IS NULL AS is_new FROM input
    WHERE repeated_id IS NOT NULL OR message_id IN (SELECT id FROM message)`;
  return new Map(found.map(({ position, id, is_new }) => [position, { messageId: id, isNew: is_new }]));
}

/** By itself, since it is rare, and by one id at a time: planned while there is little, a list of ids reads the whole table. */
async function countRepetitions(prisma: PrismaClient, stored: readonly StoredReply[]): Promise<void> {
  for (const { messageId, isNew } of stored) {
    if (!isNew) await prisma.$executeRaw`UPDATE messages SET repetitions = repetitions + 1 WHERE id = ${messageId}`;
  }
}

/** One row a reply. `nth`: its place, from 1, among those of its push that have no key. */
function toRows({ conversationId, accountId, openId, origin, replies, by, askedAtMs }: Push) {
  const withoutKey = replies.filter(({ dedupeKey }) => dedupeKey === null);
  const pushDigest = withoutKey.length === 0 ? null : toDigest(replies);
  return replies.map((reply) => ({
    message_id: reply.messageId,
    conversation_id: conversationId,
    account_id: accountId,
    open_id: openId,
    origin,
    type: reply.content.type,
    text: toReadableText(reply.content),
    content: reply.content,
    dedupe_key: reply.dedupeKey,
    push_digest: pushDigest,
    nth: withoutKey.indexOf(reply) + 1,
    waited_ms: performance.now() - askedAtMs,
    actor: by?.id,
    actor_name: by?.name,
  }));
}

/** Of the whole push, so that "Yes", "One moment", "Yes" in one push are three, and are recognised together. */
function toDigest(replies: NewReplies["replies"]): string {
  const said = replies.map(({ dedupeKey, content }) => [dedupeKey, content]);
  return createHash("sha256").update(JSON.stringify(said)).digest("base64url");
}
