import { toReadableText } from "../../domain/content.ts";
import type { InboundStore, RecordedInbound, RecordInbound } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { BATCH_OPTIONS } from "../database/batch-options.ts";
import { inBatches } from "../database/in-batches.ts";
import { toRowsParameter } from "../database/rows-parameter.ts";
import { isConnectionLost, toDatabaseFault } from "../database/to-database-fault.ts";
import { SOON } from "./claim.ts";

interface Row {
  position: number;
  message_id: string;
  is_new: boolean;
  age_ms: number;
  open_until: Date | null;
  has_replies: boolean;
  is_desk_away: boolean;
}

/** WeChat is told 4.5 s after its request came that nothing was stored. */
const WAIT_MS_MAX = 4_000;

/** A second run sees what a concurrent one committed; more are not needed, the bound only keeps a mistake from looping. */
const RUNS_MAX = 3;

export function createInboundStore(prisma: PrismaClient): InboundStore {
  const record = inBatches((inputs: readonly RecordInbound[]) => recordAll(prisma, inputs), {
    ...BATCH_OPTIONS,
    // A statement that stands still must not be overtaken by the next message of the same contact.
    keyOf: ({ conversationId }) => conversationId,
    waitMsMax: WAIT_MS_MAX,
  });
  return { record };
}

async function recordAll(prisma: PrismaClient, inputs: readonly RecordInbound[]): Promise<RecordedInbound[]> {
  const recorded = new Map<number, RecordedInbound>();
  for (let run = 0; run < RUNS_MAX && recorded.size < inputs.length; run++) {
    const missing = [...inputs.entries()].filter(([index]) => !recorded.has(index));
    const batch = missing.map(([, input]) => input);
    const work = () => recordOnce(prisma, batch);
    // Once more when no answer came: what the first run stored is recognised by its ids, and counts as new.
    const rows = await work().catch((error: unknown) => {
      if (isAnswer(error)) throw error;
      return work();
    });
    for (const row of rows) {
      const found = missing[row.position];
      if (found === undefined) continue;
      const [index, { conversationId }] = found;
      recorded.set(index, toRecorded(row, conversationId));
    }
  }
  return inputs.map((_, index) => {
    const result = recorded.get(index);
    if (result === undefined) throw new Error("a message was neither stored nor found");
    return result;
  });
}

/** The database said no, and why; it would say so again. */
function isAnswer(error: unknown): boolean {
  return toDatabaseFault(error) !== null && !isConnectionLost(error);
}

/**
 * One statement: what is new is stored with its conversation, its lane and its entry; what is known is found. A row is missing
 * from the answer only when another process stored the same message between this statement's start and its insert; then it makes
 * no reservation either, since the next run will.
 *
 * Locks are taken conversation first, then lanes, each in the order of ids: the order of the whole store, so that two statements
 * cannot wait for each other. The conversation's row is also what puts two messages of one contact in line. Where a part has to
 * come after another although it needs nothing from it, it asks for its count: that is done once and joins nothing.
 *
 * The plan is made once, perhaps while the tables were empty, and kept. What LIMIT, EXISTS or a scalar subselect looks up is looked
 * up by index for each row whatever the planner believed of the tables; a join might read the whole of them.
 */
function recordOnce(prisma: PrismaClient, inputs: readonly RecordInbound[]): Promise<Row[]> {
  return prisma.$queryRaw<Row[]>`
    WITH given AS (
      SELECT * FROM json_to_recordset(${toRowsParameter(inputs.map(toRow))}::json) AS t(
        position int, message_id text, conversation_id text, account_id text, open_id text, dedupe_key text, vendor_message_id text, type text,
        text text, content jsonb, sent_at timestamptz, forward boolean, open_for_ms int, look_for_ms int, window_ms bigint, replies_max int,
        addressed_app text)
    ), known AS (
      SELECT given.*, m.id AS known_id, m.created_at, COALESCE(m.id = given.message_id, false) AS is_own, r.has_replies,
        CASE WHEN open_for_ms > 0 THEN open_for_ms WHEN r.has_replies THEN look_for_ms ELSE 0 END AS reserve_ms
      FROM given
      LEFT JOIN LATERAL (
        SELECT id, created_at FROM messages WHERE account_id = given.account_id AND dedupe_key = given.dedupe_key LIMIT 1
      ) m ON true
      CROSS JOIN LATERAL (
        SELECT EXISTS (
          SELECT FROM outbox_lanes l WHERE l.conversation_id = given.conversation_id AND l.direction = 'outbound' AND l.pending > 0
        ) AS has_replies
        OFFSET 0
      ) r
    ), input AS (
      -- A run that is repeated makes the reservation of the first again: both count from when the message was stored.
      SELECT known.*, CASE WHEN reserve_ms > 0 THEN
          (CASE WHEN is_own THEN created_at ELSE now() END + reserve_ms * interval '1 millisecond')::timestamptz(3) END AS open_until
      FROM known
    ), fresh AS (
      SELECT * FROM input WHERE known_id IS NULL
    ), conversation AS (
      INSERT INTO conversations AS c (id, account_id, open_id, push_message_ids, last_inbound_at, window_closes_at, replies_remaining, addressed_app)
      SELECT conversation_id, account_id, open_id, CASE WHEN bool_or(forward) THEN '{}'::text[] END, now(), now() + max(window_ms) * interval '1 millisecond', max(replies_max),
        (array_agg(addressed_app ORDER BY position DESC) FILTER (WHERE addressed_app IS NOT NULL))[1]
      FROM fresh GROUP BY conversation_id, account_id, open_id ORDER BY conversation_id
      ON CONFLICT (id) DO UPDATE SET
        last_inbound_at = now(),
        updated_at = now(),
        -- The contact has spoken: an equal push is a new one from now on (docs/adr/0006). An event that no agent hears of is nothing said.
        push_digest = CASE WHEN excluded.push_message_ids IS NULL THEN c.push_digest END,
        addressed_app = COALESCE(excluded.addressed_app, c.addressed_app),
        window_closes_at = GREATEST(c.window_closes_at, excluded.window_closes_at),
        -- A new act refreshes to the better of old and new, it does not add up (wechat.md, quotas).
        replies_remaining = GREATEST(CASE WHEN c.window_closes_at > now() OR excluded.window_closes_at IS NULL THEN c.replies_remaining END,
                                     excluded.replies_remaining)
      RETURNING id
    ), message AS (
      INSERT INTO messages (id, account_id, conversation_id, direction, origin, dedupe_key, vendor_message_id, type, text, content, state, sent_at)
      SELECT f.message_id, f.account_id, f.conversation_id, 'inbound', 'contact', f.dedupe_key, f.vendor_message_id, f.type, f.text,
             f.content, 'received', f.sent_at
      FROM fresh f WHERE (SELECT count(*) FROM conversation) > 0
      ORDER BY f.position
      ON CONFLICT (account_id, dedupe_key) DO NOTHING
      RETURNING id
    ), stored AS (
      SELECT f.* FROM fresh f WHERE f.message_id = ANY (ARRAY(SELECT id FROM message))
    ), inbound_lane AS (
      INSERT INTO outbox_lanes AS l (conversation_id, account_id, direction, due_at, pending)
      SELECT conversation_id, account_id, 'inbound', now(), count(*)
      FROM stored WHERE forward GROUP BY conversation_id, account_id ORDER BY conversation_id
      ON CONFLICT (conversation_id, direction) DO UPDATE SET
        due_at = COALESCE(l.due_at, excluded.due_at),
        pending = l.pending + excluded.pending
      RETURNING conversation_id, holder IS NULL AND due_at > ${SOON} AS is_desk_away
    ), entry AS (
      INSERT INTO outbox_entries (conversation_id, direction, message_id)
      SELECT conversation_id, 'inbound', message_id FROM stored WHERE forward AND (SELECT count(*) FROM inbound_lane) > 0
      ORDER BY position
    ), found AS (
      SELECT conversation_id, account_id, has_replies, position, message_id, true AS is_new, now() AS created_at, open_until FROM stored
      UNION ALL
      SELECT conversation_id, account_id, has_replies, position, known_id, is_own, created_at, open_until FROM input WHERE known_id IS NOT NULL
    ), outbound_lane AS (
      -- Replies that come while this callback is open wait for it; replies that were held have their chance again.
      INSERT INTO outbox_lanes AS l (conversation_id, account_id, direction, callbacks_open_until)
      SELECT found.conversation_id, found.account_id, 'outbound',
        COALESCE(array_agg(found.open_until) FILTER (WHERE found.open_until IS NOT NULL), '{}'::timestamptz(3)[])
      FROM found WHERE (found.open_until IS NOT NULL OR found.has_replies) AND (SELECT count(*) FROM conversation) >= 0
      GROUP BY found.conversation_id, found.account_id ORDER BY found.conversation_id
      ON CONFLICT (conversation_id, direction) DO UPDATE SET
        callbacks_open_until = ARRAY(SELECT DISTINCT u FROM unnest(l.callbacks_open_until || excluded.callbacks_open_until) u WHERE u > now()),
        due_at = CASE
          WHEN l.due_at IS NULL AND l.pending > 0
          THEN GREATEST(now(), (SELECT max(u) FROM unnest(l.callbacks_open_until || excluded.callbacks_open_until) u))
          ELSE l.due_at END
      RETURNING conversation_id, pending > 0 AS has_replies
    ), freed AS (
      UPDATE outbox_entries e SET enqueued_at = now()
      WHERE e.conversation_id = ANY (ARRAY(SELECT conversation_id FROM outbound_lane)) AND e.direction = 'outbound'
        AND (SELECT state FROM messages m WHERE m.id = e.message_id) = 'held'
    )
    -- Read from the locked rows: what another process has just added to the lanes is seen.
    SELECT position, message_id, is_new, (EXTRACT(epoch FROM now() - created_at) * 1000)::float8 AS age_ms, open_until,
           conversation_id IN (SELECT conversation_id FROM outbound_lane WHERE has_replies) AS has_replies,
           conversation_id IN (SELECT conversation_id FROM inbound_lane WHERE is_desk_away) AS is_desk_away
    FROM found`;
}

function toRow({ message, allowance, ...input }: RecordInbound, position: number): object {
  return {
    position,
    message_id: input.messageId,
    conversation_id: input.conversationId,
    account_id: input.accountId,
    open_id: message.openId,
    dedupe_key: message.dedupeKey,
    vendor_message_id: message.vendorMessageId,
    type: message.content.type,
    text: toReadableText(message.content),
    content: message.content,
    sent_at: message.sentAt,
    forward: input.forward,
    open_for_ms: input.openForMs,
    look_for_ms: input.lookForMs,
    window_ms: allowance?.windowMs || null,
    replies_max: allowance?.repliesMax || null,
    addressed_app: input.addressedApp,
  };
}

function toRecorded(row: Row, conversationId: string): RecordedInbound {
  return {
    messageId: row.message_id,
    conversationId,
    isNew: row.is_new,
    ageMs: row.age_ms,
    openUntil: row.open_until,
    hasReplies: row.has_replies,
    isDeskAway: row.is_desk_away,
  };
}
