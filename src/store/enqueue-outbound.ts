import { createHash } from "node:crypto";
import type { AuditAction } from "../domain/audit.ts";
import { toReadableText } from "../domain/content.ts";
import type { StatusReport } from "../domain/conversation.ts";
import { inBatches } from "../domain/in-batches.ts";
import type { NewOutbound, OutboundStore } from "../domain/store.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";
import { BATCH_OPTIONS } from "./batch-options.ts";
import { toRowsParameter } from "./rows-parameter.ts";

interface Stored {
  messageId: string;
  isNew: boolean;
}

/** A desk is told within a second that nothing was stored. */
const WAIT_MS_MAX = 900;

export function createOutboundStore(prisma: PrismaClient): OutboundStore {
  const enqueue = inBatches((messages: readonly NewOutbound[]) => enqueueAll(prisma, messages), {
    ...BATCH_OPTIONS,
    // The second one of a conversation finds the first: it may be the same once more.
    keyOf: ({ conversationId }) => conversationId,
    waitMsMax: WAIT_MS_MAX,
  });
  return { enqueue, report: (conversation, report, at) => applyReport(prisma, conversation, report, at) };
}

async function enqueueAll(prisma: PrismaClient, messages: readonly NewOutbound[]): Promise<Stored[]> {
  const rows = messages.map(toRow);
  const stored = await enqueueOnce(prisma, rows);
  const missing = rows.filter(({ position }) => !stored.has(position));
  // The second run is for those that another process stored in this very moment.
  const later = missing.length === 0 ? stored : await enqueueOnce(prisma, missing);
  return rows.map(({ position }) => {
    const found = stored.get(position) ?? later.get(position);
    if (found === undefined) throw new Error("a message was neither stored nor found");
    return found;
  });
}

/**
 * Stores each message with its entry unless one of its keys is known; of those that a concurrent process stored meanwhile the answer
 * says nothing. While replies of a conversation are held, a new one waits behind them with their reason. Locks as everywhere.
 */
async function enqueueOnce(prisma: PrismaClient, rows: readonly object[]): Promise<Map<number, Stored>> {
  const found = await prisma.$queryRaw<{ position: number; id: string; is_new: boolean }[]>`
    WITH given AS (
      SELECT * FROM json_to_recordset(${toRowsParameter(rows)}::json) AS t(
        position int, message_id text, conversation_id text, account_id text, open_id text, origin text, type text, text text, content jsonb,
        dedupe_keys text[], repeated_within_ms bigint, actor text, actor_name text)
    ), conversation AS (
      INSERT INTO conversations (id, account_id, open_id) SELECT conversation_id, account_id, open_id FROM given ORDER BY conversation_id
      ON CONFLICT (id) DO UPDATE SET updated_at = now() RETURNING id
    ), input AS (
      SELECT given.*, repeated.id AS repeated_id, held.error, held.error_code
      FROM given LEFT JOIN LATERAL (
        -- Each key by itself: looked for as a list, a plan that was made when there was little read all messages of the account.
        SELECT (
          SELECT m.id FROM messages m
          WHERE m.account_id = given.account_id AND m.dedupe_key = key
            AND (repeated_within_ms IS NULL OR m.created_at > now() - repeated_within_ms * interval '1 millisecond')
        ) AS id
        FROM unnest(dedupe_keys) key ORDER BY id LIMIT 1
      ) repeated ON true LEFT JOIN LATERAL (
        SELECT e.message_id
        FROM outbox_lanes l JOIN outbox_entries e ON e.conversation_id = l.conversation_id AND e.direction = l.direction
        WHERE l.conversation_id = given.conversation_id AND l.direction = 'outbound' AND l.due_at IS NULL
        ORDER BY e.id LIMIT 1
      ) parked ON true LEFT JOIN LATERAL (
        SELECT m.error, m.error_code FROM messages m WHERE m.id = parked.message_id AND m.state = 'held' LIMIT 1
      ) held ON true
      -- Counted, so that all of them are locked before any lane is.
      WHERE (SELECT count(*) FROM conversation) > 0
    ), message AS (
      INSERT INTO messages (id, account_id, conversation_id, direction, origin, dedupe_key, type, text, content, state, error, error_code, sent_at)
      SELECT message_id, account_id, conversation_id, 'outbound', origin, dedupe_keys[1], type, text, content,
             CASE WHEN error_code IS NULL THEN 'queued' ELSE 'held' END, error, error_code, now()
      FROM input WHERE repeated_id IS NULL ORDER BY position
      ON CONFLICT (account_id, dedupe_key) DO NOTHING
      RETURNING id, conversation_id, state
    ), lane AS (
      INSERT INTO outbox_lanes AS l (conversation_id, direction, due_at, pending)
      SELECT conversation_id, 'outbound', CASE WHEN state = 'queued' THEN now() END, 1 FROM message ORDER BY conversation_id
      ON CONFLICT (conversation_id, direction) DO UPDATE SET
        pending = l.pending + 1,
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

function toRow(message: NewOutbound, position: number) {
  const { messageId, conversationId, accountId, openId, origin, content, dedupeKey, repeatWindowMs, by } = message;
  return {
    position,
    message_id: messageId,
    conversation_id: conversationId,
    account_id: accountId,
    open_id: openId,
    origin,
    type: content.type,
    text: toReadableText(content),
    content,
    dedupe_keys: toDedupeKeys(message, Date.now()),
    repeated_within_ms: dedupeKey === null ? repeatWindowMs : undefined,
    actor: by?.id,
    actor_name: by?.name,
  };
}

/**
 * The keys under which the same message may have been stored; the first is the one to store it under. Without an id of the desk's
 * own the content stands for it, within its slice of time or the one before.
 */
function toDedupeKeys({ conversationId, content, dedupeKey, repeatWindowMs }: NewOutbound, nowMs: number): string[] {
  if (dedupeKey !== null) return [dedupeKey];
  const digest = createHash("sha256").update(conversationId).update("\0").update(JSON.stringify(content)).digest("base64url");
  const slice = Math.floor(nowMs / repeatWindowMs);
  return [`said:${digest}:${slice}`, `said:${digest}:${slice - 1}`];
}

async function applyReport(
  prisma: PrismaClient,
  { conversationId, accountId, openId }: { conversationId: string; accountId: string; openId: string },
  report: StatusReport,
  at: Date,
): Promise<void> {
  const fields = JSON.stringify(report);
  await prisma.$executeRaw`
    INSERT INTO conversations AS c (id, account_id, open_id, status, turn, agent_name, notice, status_at)
    SELECT ${conversationId}, ${accountId}, ${openId}, COALESCE(r ->> 'status', 'unknown'), (r ->> 'turn')::int, r ->> 'agentName',
           r ->> 'notice', ${at}::timestamptz(3)
    FROM (SELECT ${fields}::jsonb AS r) report
    ON CONFLICT (id) DO UPDATE SET
      status = CASE WHEN ${fields}::jsonb ? 'status' THEN excluded.status ELSE c.status END,
      turn = CASE WHEN ${fields}::jsonb ? 'turn' THEN excluded.turn ELSE c.turn END,
      agent_name = CASE WHEN ${fields}::jsonb ? 'agentName' THEN excluded.agent_name ELSE c.agent_name END,
      notice = CASE WHEN ${fields}::jsonb ? 'notice' THEN excluded.notice ELSE c.notice END,
      status_at = excluded.status_at,
      updated_at = now()
    WHERE c.status_at IS NULL OR c.status_at <= excluded.status_at`;
}
