import { createHash } from "node:crypto";
import type { AuditAction } from "../../domain/audit.ts";
import { toReadableText } from "../../domain/content.ts";
import type { QueuedMessage } from "../../domain/queue.ts";
import type { NewReplies, NewReply, OutboundStore, StoredReplies, StoredReply } from "../../domain/store.ts";
import { BATCH_OPTIONS } from "../database/batch-options.ts";
import { batchStatement } from "../database/batch-statement.ts";
import type { Database } from "../database/database.ts";
import { inBatches } from "../database/in-batches.ts";
import { isTakenKey } from "../database/to-database-fault.ts";
import { markAnswered } from "../mark-answered.ts";
import { report } from "../report.ts";
import { LAST_CALLBACK, type QueueRow, queueColumns, toClaim, toNewMessage } from "./claim-rows.ts";

/** A desk is told within a second that nothing was stored. */
const WAIT_MS_MAX = 900;

/** A second run sees what a concurrent one committed; the bound only keeps a mistake from looping. */
const RUNS_MAX = 3;

export function createOutboundStore(database: Database): OutboundStore {
  const enqueue = inBatches((pushes: readonly Push[]) => enqueueAll(database, pushes), {
    ...BATCH_OPTIONS,
    // The second push of a conversation finds the first: it may be the same once more.
    keyOf: ({ conversationId }) => conversationId,
    waitMsMax: WAIT_MS_MAX,
  });
  return {
    enqueue: (replies) => enqueue({ ...replies, askedAtMs: performance.now() }),
    markAnswered: markAnswered(database),
    report: report(database),
  };
}

interface Push extends NewReplies {
  /** By the monotonic clock. */
  askedAtMs: number;
}

interface Row extends QueueRow {
  given_id: string;
  message_id: string;
  place: string;
  is_new: boolean;
  is_claimed: boolean;
}

/** Runs again where another process stored a reply with the same key in between: the next run finds it. */
async function enqueueAll(database: Database, pushes: readonly Push[], runsLeft = RUNS_MAX): Promise<StoredReplies[]> {
  try {
    const rows = await enqueueOnce<Row>(database, pushes.flatMap(toRows));
    const byGivenId = new Map(rows.map((row) => [row.given_id, row]));
    const results = pushes.map((push) => toStored(push, byGivenId));
    const stored = results.flatMap(({ replies }) => replies);
    await countRepetitions(database, stored);
    return results;
  } catch (error) {
    if (runsLeft <= 1 || !isTakenKey(error)) throw error;
    return enqueueAll(database, pushes, runsLeft - 1);
  }
}

/**
 * An answer to a push may still be under way to the desk for this long after it was written: an equal push that comes until then is taken
 * for a repetition, as one that has no answer yet. How long a push has waited here does not count.
 */
const ANSWER_UNDER_WAY_MS = 1_000;

/** A desk has repeated a push that it had no answer to by then. That one was answered may not have been written down: a process died. */
const UNANSWERED_MS_MAX = 3_600_000;

/**
 * Stores each reply at the end of its queue unless it is a repetition. A reply without a key of its own is a repetition when its whole push
 * equals the last one of the conversation, that one has not been answered, and nothing else has happened since (docs/adr/0006): all of that
 * is read from the locked row of the conversation, where a concurrent push or callback has left its mark too. An empty queue without open
 * callbacks is claimed for the worker that asks. Locks and looks up as `record-inbound.ts`.
 */
const enqueueOnce = batchStatement<PushedReply>(
  {
    message_id: ["text", ({ reply }) => reply.messageId],
    conversation_id: ["text", ({ push }) => push.conversationId],
    account_id: ["text", ({ push }) => push.accountId],
    open_id: ["text", ({ push }) => push.openId],
    origin: ["text", ({ push }) => push.origin],
    type: ["text", ({ reply }) => reply.content.type],
    text: ["text", ({ reply }) => toReadableText(reply.content)],
    content: ["jsonb", ({ reply }) => reply.content],
    dedupe_key: ["text", ({ reply }) => reply.dedupeKey],
    push_digest: ["text", ({ pushDigest }) => pushDigest],
    nth: ["int4", ({ nth }) => nth],
    waited_ms: ["float8", ({ push }) => performance.now() - push.askedAtMs],
    holder: ["text", ({ push }) => push.holder],
    actor: ["text", ({ push }) => push.by?.id],
    actor_name: ["text", ({ push }) => push.by?.name],
  },
  (given) => `
    WITH known AS (
      SELECT g.*, m.id AS known_id
      FROM ${given} g LEFT JOIN LATERAL (
        SELECT id FROM messages WHERE account_id = g.account_id AND dedupe_key = g.dedupe_key LIMIT 1
      ) m ON true
    ), push AS (
      SELECT conversation_id, account_id, open_id, push_digest, holder, max(waited_ms) AS waited_ms,
        count(*) FILTER (WHERE dedupe_key IS NOT NULL AND known_id IS NULL) AS with_key, count(*) FILTER (WHERE dedupe_key IS NULL) AS without_key,
        array_agg(message_id ORDER BY nth) FILTER (WHERE dedupe_key IS NULL) AS message_ids
      FROM known GROUP BY conversation_id, account_id, open_id, push_digest, holder
    ), conversation AS (
      INSERT INTO conversations AS c (id, account_id, open_id, push_digest, push_message_ids, pushed_at, outbound_last, outbound_holder,
        outbound_claim, outbound_due_at)
      SELECT conversation_id, account_id, open_id, push_digest, message_ids, now(), with_key + without_key, holder, (holder IS NOT NULL)::int,
        CASE WHEN holder IS NULL THEN now() END
      FROM push ORDER BY conversation_id
      ON CONFLICT (id) DO UPDATE SET
        updated_at = now(),
        active_at = CASE WHEN c.active_at < now() - interval '10 seconds' THEN now() ELSE c.active_at END,
        (push_digest, push_message_ids, pushed_at, push_answered_at, outbound_last, outbound_holder, outbound_claim, outbound_due_at) = (
          SELECT CASE WHEN is_last THEN c.push_digest ELSE excluded.push_digest END,
                 CASE WHEN is_last THEN c.push_message_ids ELSE excluded.push_message_ids END,
                 CASE WHEN is_last THEN c.pushed_at ELSE excluded.pushed_at END,
                 CASE WHEN is_last THEN c.push_answered_at END,
                 c.outbound_last + added,
                 CASE WHEN is_free THEN push.holder ELSE c.outbound_holder END,
                 c.outbound_claim + (is_free AND push.holder IS NOT NULL)::int,
                 CASE WHEN is_free AND push.holder IS NOT NULL THEN NULL
                      WHEN added > 0 AND c.outbound_last = c.outbound_done THEN GREATEST(now(), ${LAST_CALLBACK})
                      ELSE c.outbound_due_at END
          FROM (SELECT * FROM push WHERE conversation_id = c.id LIMIT 1) push
          CROSS JOIN LATERAL (
            SELECT CASE
              -- Ids tell by themselves; a repetition found by its ids leaves what was last as it is.
              WHEN push.push_digest IS NULL THEN with_key = 0
              ELSE COALESCE(c.push_digest = push.push_digest AND c.pushed_at > now() - interval '${UNANSWERED_MS_MAX} milliseconds' AND (
                c.push_answered_at IS NULL
                OR c.push_answered_at > now() - (waited_ms + ${ANSWER_UNDER_WAY_MS}) * interval '1 millisecond'), false) END AS is_last
          ) last
          CROSS JOIN LATERAL (SELECT CASE WHEN is_last THEN with_key ELSE with_key + without_key END AS added) stored
          CROSS JOIN LATERAL (
            SELECT added > 0 AND c.outbound_last = c.outbound_done AND COALESCE(${LAST_CALLBACK} <= now(), true) AS is_free
          ) queue)
      RETURNING outbound_last AS last, outbound_due_at AS due_at, push_message_ids, ${queueColumns("outbound")}
    ), input AS (
      SELECT k.*, c.repeated_id, c.last + 1 - count(*) FILTER (WHERE c.repeated_id IS NULL)
        OVER (PARTITION BY k.conversation_id ORDER BY k.position DESC) AS place
      FROM known k CROSS JOIN LATERAL (
        SELECT last, COALESCE(k.known_id, CASE WHEN k.dedupe_key IS NULL THEN NULLIF(push_message_ids[k.nth], k.message_id) END) AS repeated_id
        FROM conversation WHERE id = k.conversation_id LIMIT 1
      ) c
    ), message AS (
      INSERT INTO messages (id, account_id, conversation_id, direction, origin, place, dedupe_key, type, text, content, sent_at)
      SELECT message_id, account_id, conversation_id, 'outbound', origin, place, dedupe_key, type, text, content, now()
      FROM input WHERE repeated_id IS NULL ORDER BY position
    ), audit AS (
      INSERT INTO audit_entries (actor, actor_name, action, account_id, subject, detail)
      SELECT actor, actor_name, '${"message.written" satisfies AuditAction}', account_id, message_id, '{}' FROM input
      WHERE actor IS NOT NULL AND repeated_id IS NULL
    )
    SELECT i.message_id AS given_id, COALESCE(i.repeated_id, i.message_id) AS message_id, i.repeated_id IS NULL AS is_new, i.place::text AS place,
      i.repeated_id IS NULL AND c.holder = i.holder AND c.due_at IS NULL AND i.place = c.done::bigint + 1 AS is_claimed, c.*
    FROM input i CROSS JOIN LATERAL (SELECT * FROM conversation WHERE id = i.conversation_id LIMIT 1) c`,
);

/** One by one, since repetitions are rare: planned while there is little, a list of ids reads the whole table. */
async function countRepetitions({ prisma }: Database, stored: readonly StoredReply[]): Promise<void> {
  for (const { messageId, isNew } of stored) {
    if (!isNew) await prisma.$executeRaw`UPDATE messages SET repetitions = repetitions + 1 WHERE id = ${messageId}`;
  }
}

/** One row a reply. `nth`: its place, from 1, among those of its push that have no key. */
interface PushedReply {
  push: Push;
  reply: NewReply;
  nth: number;
  pushDigest: string | null;
}

function toRows(push: Push): PushedReply[] {
  const withoutKey = push.replies.filter(({ dedupeKey }) => dedupeKey === null);
  const pushDigest = withoutKey.length === 0 ? null : toDigest(push.replies);
  // Without the second reply of one key.
  const distinct = push.replies.filter((reply) => firstOf(reply, push.replies) === reply);
  return distinct.map((reply) => ({ push, reply, nth: withoutKey.indexOf(reply) + 1, pushDigest }));
}

function firstOf(reply: NewReply, replies: readonly NewReply[]): NewReply {
  return (reply.dedupeKey !== null && replies.find(({ dedupeKey }) => dedupeKey === reply.dedupeKey)) || reply;
}

/** Two replies of one key are one message; the second repeats the first. */
function toStored(push: Push, rows: ReadonlyMap<string, Row>): StoredReplies {
  const found = push.replies.map((reply) => {
    const first = firstOf(reply, push.replies);
    const row = rows.get(first.messageId);
    if (row === undefined) throw new Error("a reply was neither stored nor found");
    return { reply, row, isNew: row.is_new && reply === first };
  });
  const messages = found.flatMap(({ reply, row, isNew }) => (isNew ? toQueuedMessage(row, reply, push) : []));
  const head = found.find(({ row }) => row.is_claimed);
  return {
    replies: found.map(({ row, isNew }) => ({ messageId: row.message_id, isNew })),
    claim: head ? toClaim(head.row, messages) : null,
  };
}

function toQueuedMessage(row: Row, { content, dedupeKey }: NewReply, { accountId, conversationId, origin }: Push): QueuedMessage {
  const at = { createdAt: row.claimed_at, sentAt: row.claimed_at };
  const stored = { ...at, id: row.message_id, accountId, conversationId, direction: "outbound", origin, content, dedupeKey } as const;
  return toNewMessage({ ...stored, vendorMessageId: null }, Number(row.place), 0);
}

/** Of the whole push, so that "Yes", "One moment", "Yes" in one push are three, and are recognised together. */
function toDigest(replies: NewReplies["replies"]): string {
  const said = replies.map(({ dedupeKey, content }) => [dedupeKey, content]);
  return createHash("sha256").update(JSON.stringify(said)).digest("base64url");
}
