import { toReadableText } from "../../domain/content.ts";
import type { Claim } from "../../domain/queue.ts";
import type { InboundStore, RecordedInbound, RecordInbound } from "../../domain/store.ts";
import { BATCH_OPTIONS } from "../database/batch-options.ts";
import { batchStatement } from "../database/batch-statement.ts";
import type { Database } from "../database/database.ts";
import { inBatches } from "../database/in-batches.ts";
import { isConnectionLost, isTakenKey, toDatabaseFault } from "../database/to-database-fault.ts";
import { LAST_CALLBACK, type QueueRow, queueColumns, SOON, toClaim, toNewMessage, toQueueRow } from "./claim-rows.ts";

interface Row {
  position: number;
  /** The message that was stored before. */
  known_id: string | null;
  is_new: boolean;
  age_ms: number;
  open_until: Date | null;
  has_replies: boolean;
  is_desk_away: boolean;
  /** The queue, where it is claimed. */
  claimed: Record<string, unknown> | null;
}

/** WeChat is told 4.5 s after its request came that nothing was stored. */
const WAIT_MS_MAX = 4_000;

/** A second run sees what a concurrent one committed; the bound only keeps a mistake from looping. */
const RUNS_MAX = 3;

export function createInboundStore(database: Database): InboundStore {
  const record = inBatches((inputs: readonly RecordInbound[]) => recordAll(database, inputs), {
    ...BATCH_OPTIONS,
    // A slow statement must not be overtaken by the contact's next message.
    keyOf: ({ conversationId }) => conversationId,
    waitMsMax: WAIT_MS_MAX,
  });
  return { record };
}

/**
 * Runs again where another process stored the same message in between: its key is taken now, and the next run finds it. Runs again as
 * well when no answer came: what the first run stored is recognised by its ids, and counts as new.
 */
async function recordAll(database: Database, inputs: readonly RecordInbound[], runsLeft = RUNS_MAX): Promise<RecordedInbound[]> {
  try {
    const rows = await recordOnce<Row>(database, inputs);
    const byPosition = new Map(rows.map((row) => [row.position, row]));
    return inputs.map((input, position) => {
      const row = byPosition.get(position);
      if (row === undefined) throw new Error("a message was neither stored nor found");
      return toRecorded(row, input);
    });
  } catch (error) {
    const isUnanswered = toDatabaseFault(error) === null || isConnectionLost(error);
    if (runsLeft <= 1 || !(isTakenKey(error) || isUnanswered)) throw error;
    return recordAll(database, inputs, isTakenKey(error) ? runsLeft - 1 : 1);
  }
}

/** Not empty, and nothing is due: held. */
const IS_HELD = "c.outbound_last > c.outbound_done AND c.outbound_due_at IS NULL AND c.outbound_holder IS NULL";

/**
 * One statement for messages of different conversations: what is new is stored, what is known is found. The message's place is read from
 * the locked row of its conversation: an identity would be given in another order than commits, and a cursor would skip a message.
 * A queue is free for the worker that asks only when it is empty, not merely unclaimed; otherwise a new message would overtake one that
 * waits for its retry.
 *
 * Conversations are locked in the order of ids, as in the whole store, so that two statements cannot wait for each other. What LIMIT or a
 * scalar subselect looks up is looked up by index for each row, although the plan may have been made when the tables were empty.
 */
const recordOnce = batchStatement<RecordInbound>(
  {
    message_id: ["text", ({ messageId }) => messageId],
    conversation_id: ["text", ({ conversationId }) => conversationId],
    account_id: ["text", ({ accountId }) => accountId],
    open_id: ["text", ({ message }) => message.openId],
    dedupe_key: ["text", ({ message }) => message.dedupeKey],
    vendor_message_id: ["text", ({ message }) => message.vendorMessageId],
    type: ["text", ({ message }) => message.content.type],
    text: ["text", ({ message }) => toReadableText(message.content)],
    content: ["jsonb", ({ message }) => message.content],
    sent_at: ["timestamptz", ({ message }) => message.sentAt],
    forward: ["bool", ({ forward }) => forward],
    holder: ["text", ({ holder }) => holder],
    open_for_ms: ["int4", ({ openForMs }) => openForMs],
    open_for_query_ms: ["int4", ({ openForQueryMs }) => openForQueryMs],
    window_ms: ["int8", ({ allowance }) => allowance?.windowMs || null],
    replies_max: ["int4", ({ allowance }) => allowance?.repliesMax || null],
    addressed_app: ["text", ({ addressedApp }) => addressedApp],
  },
  (given) => `
    WITH known AS (
      SELECT g.*, m.id AS known_id, m.place AS known_place, m.created_at AS known_at, m.id IS NULL AS is_new, COALESCE(m.id = g.message_id, false) AS is_own,
        CASE WHEN g.open_for_ms > 0 THEN g.open_for_ms WHEN r.has_replies THEN g.open_for_query_ms ELSE 0 END AS reserve_ms
      FROM ${given} g
      LEFT JOIN LATERAL (
        SELECT id, place, created_at FROM messages WHERE account_id = g.account_id AND dedupe_key = g.dedupe_key LIMIT 1
      ) m ON true
      LEFT JOIN LATERAL (
        SELECT outbound_last > outbound_done AS has_replies FROM conversations WHERE id = g.conversation_id LIMIT 1
      ) r ON true
    ), input AS (
      -- A run that is repeated makes the reservation of the first again: both count from when the message was stored.
      SELECT known.*, is_new AND forward AS is_queued, CASE WHEN reserve_ms > 0 THEN
          (CASE WHEN is_own THEN known_at ELSE now() END + reserve_ms * interval '1 millisecond')::timestamptz(3) END AS open_until
      FROM known
    ), conversation AS (
      INSERT INTO conversations AS c (id, account_id, open_id, push_message_ids, last_inbound_at, window_closes_at, replies_remaining,
        addressed_app, inbound_last, inbound_holder, inbound_claim, inbound_due_at, open_callbacks)
      SELECT conversation_id, account_id, open_id, CASE WHEN is_queued THEN '{}'::text[] END, CASE WHEN is_new THEN now() END,
        CASE WHEN is_new THEN now() + window_ms * interval '1 millisecond' END, CASE WHEN is_new THEN replies_max END, addressed_app,
        is_queued::int, CASE WHEN is_queued THEN holder END, (is_queued AND holder IS NOT NULL)::int,
        CASE WHEN is_queued AND holder IS NULL THEN now() END, CASE WHEN open_until IS NULL THEN '{}' ELSE ARRAY[open_until] END
      FROM input ORDER BY conversation_id
      ON CONFLICT (id) DO UPDATE SET
        last_inbound_at = COALESCE(excluded.last_inbound_at, c.last_inbound_at),
        updated_at = COALESCE(excluded.last_inbound_at, c.updated_at),
        active_at = CASE WHEN excluded.last_inbound_at > c.active_at + interval '10 seconds' THEN now() ELSE c.active_at END,
        -- The contact has spoken: an equal push is a new one from now on (docs/adr/0006). An event that no agent hears of is nothing said.
        push_digest = CASE WHEN excluded.push_message_ids IS NULL THEN c.push_digest END,
        addressed_app = COALESCE(excluded.addressed_app, c.addressed_app),
        window_closes_at = GREATEST(c.window_closes_at, excluded.window_closes_at),
        -- A new act refreshes to the better of old and new, it does not add up (wechat.md, quotas).
        replies_remaining = GREATEST(CASE WHEN c.window_closes_at > now() OR excluded.window_closes_at IS NULL THEN c.replies_remaining END,
                                     excluded.replies_remaining),
        inbound_last = c.inbound_last + excluded.inbound_last,
        inbound_claim = c.inbound_claim + CASE WHEN c.inbound_done = c.inbound_last THEN excluded.inbound_claim ELSE 0 END,
        inbound_holder = CASE WHEN c.inbound_done = c.inbound_last THEN excluded.inbound_holder ELSE c.inbound_holder END,
        inbound_due_at = CASE WHEN c.inbound_done = c.inbound_last THEN excluded.inbound_due_at ELSE c.inbound_due_at END,
        open_callbacks = CASE WHEN excluded.open_callbacks = '{}' THEN c.open_callbacks
          ELSE ARRAY(SELECT DISTINCT u FROM unnest(c.open_callbacks || excluded.open_callbacks) u WHERE u > now()) END,
        -- Replies that are held have their chance again, behind this callback.
        outbound_due_at = CASE WHEN ${IS_HELD}
          THEN GREATEST(now(), ${LAST_CALLBACK}, (SELECT max(u) FROM unnest(excluded.open_callbacks) u)) ELSE c.outbound_due_at END,
        outbound_freed_at = CASE WHEN ${IS_HELD} THEN now() ELSE c.outbound_freed_at END
      RETURNING inbound_last AS last, inbound_holder IS NULL AND inbound_due_at > ${SOON} AS is_desk_away,
        outbound_last > outbound_done AS has_replies, ${queueColumns("inbound")}
    ), message AS (
      INSERT INTO messages (id, account_id, conversation_id, direction, origin, place, dedupe_key, vendor_message_id, type, text, content, state, sent_at)
      SELECT i.message_id, i.account_id, i.conversation_id, 'inbound', 'contact', CASE WHEN i.forward THEN c.last END, i.dedupe_key,
        i.vendor_message_id, i.type, i.text, i.content, CASE WHEN i.forward THEN NULL ELSE 'received' END, i.sent_at
      FROM input i CROSS JOIN LATERAL (SELECT last FROM conversation WHERE id = i.conversation_id LIMIT 1) c
      WHERE i.is_new ORDER BY i.position
    )
    SELECT i.position, i.known_id, i.is_new OR i.is_own AS is_new, i.open_until, c.is_desk_away, c.has_replies,
      COALESCE((EXTRACT(epoch FROM now() - i.known_at) * 1000)::float8, 0) AS age_ms,
      CASE WHEN (i.is_new OR i.is_own) AND i.forward AND c.holder = i.holder AND COALESCE(i.known_place, c.last) = c.done::bigint + 1
        THEN row_to_json(c) END AS claimed
    FROM input i CROSS JOIN LATERAL (SELECT * FROM conversation WHERE id = i.conversation_id LIMIT 1) c`,
);

function toRecorded(row: Row, input: RecordInbound): RecordedInbound {
  const messageId = row.known_id ?? input.messageId;
  return {
    messageId,
    conversationId: input.conversationId,
    isNew: row.is_new,
    ageMs: row.age_ms,
    openUntil: row.open_until,
    hasReplies: row.has_replies,
    isDeskAway: row.is_desk_away,
    claim: row.claimed && toClaimOf(toQueueRow(row.claimed), { ...input, messageId }, row.age_ms),
  };
}

function toClaimOf(queue: QueueRow, { messageId, message, conversationId, accountId }: RecordInbound, ageMs: number): Claim {
  const { vendorMessageId, dedupeKey, content, sentAt } = message;
  const createdAt = new Date(queue.claimed_at.getTime() - ageMs);
  const stored = { id: messageId, conversationId, accountId, vendorMessageId, dedupeKey, content, sentAt, createdAt };
  return toClaim(queue, [toNewMessage({ ...stored, direction: "inbound", origin: "contact" }, Number(queue.done) + 1, ageMs)]);
}
