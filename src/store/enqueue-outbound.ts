import { createHash } from "node:crypto";
import { toReadableText } from "../domain/content.ts";
import type { StatusReport } from "../domain/conversation.ts";
import type { NewOutbound, OutboundStore } from "../domain/store.ts";
import { Prisma, type PrismaClient } from "../generated/prisma/client.ts";
import { insertAudit } from "./audit.ts";

export function createOutboundStore(prisma: PrismaClient): OutboundStore {
  return {
    enqueue: (message) => enqueue(prisma, message),
    report: (conversation, report, at) => applyReport(prisma, conversation, report, at),
  };
}

async function enqueue(prisma: PrismaClient, message: NewOutbound): Promise<{ messageId: string; isNew: boolean }> {
  const keys = toDedupeKeys(message, Date.now());
  // The second run is for the case that another process stored the same message in this very moment.
  const run = () => enqueueOnce(prisma, message, keys);
  const row = (await run()) ?? (await run());
  if (row === null) throw new Error("a message was neither stored nor found");
  return { messageId: row.id, isNew: row.is_new };
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

/**
 * Stores the message with its entry unless one of its keys is known; null when a concurrent process stored it meanwhile.
 * While replies of this conversation are held, it waits behind them with their reason.
 */
async function enqueueOnce(prisma: PrismaClient, message: NewOutbound, keys: string[]): Promise<{ id: string; is_new: boolean } | null> {
  const { messageId, conversationId, accountId, openId, origin, content, dedupeKey, repeatWindowMs, by } = message;
  const written = by && ({ actor: by, action: "message.written", accountId, subject: messageId, detail: {} } as const);
  const rows = await prisma.$queryRaw<{ id: string; is_new: boolean }[]>`
    WITH conversation AS (
      INSERT INTO conversations (id, account_id, open_id) VALUES (${conversationId}, ${accountId}, ${openId})
      ON CONFLICT (id) DO UPDATE SET updated_at = now() RETURNING id
    ), repeated AS (
      SELECT m.id FROM messages m, conversation
      WHERE m.account_id = ${accountId} AND m.dedupe_key = ANY(${keys}::text[])
        AND (${dedupeKey !== null} OR m.created_at > now() - ${repeatWindowMs}::int * interval '1 millisecond')
      LIMIT 1
    ), held AS (
      SELECT m.error, m.error_code
      FROM outbox_lanes l JOIN outbox_entries e ON e.conversation_id = l.conversation_id AND e.direction = l.direction
        JOIN messages m ON m.id = e.message_id
      WHERE l.conversation_id = ${conversationId} AND l.direction = 'outbound' AND l.due_at IS NULL AND m.state = 'held'
      LIMIT 1
    ), message AS (
      INSERT INTO messages (id, account_id, conversation_id, direction, origin, dedupe_key, type, text, content, state, error, error_code, sent_at)
      SELECT ${messageId}, ${accountId}, conversation.id, 'outbound', ${origin}, ${keys[0]}, ${content.type}, ${toReadableText(content)},
             ${JSON.stringify(content)}::jsonb, CASE WHEN held.error_code IS NULL THEN 'queued' ELSE 'held' END, held.error, held.error_code, now()
      FROM conversation LEFT JOIN held ON true
      WHERE NOT EXISTS (SELECT FROM repeated)
      ON CONFLICT (account_id, dedupe_key) DO NOTHING
      RETURNING id
    ), lane AS (
      INSERT INTO outbox_lanes AS l (conversation_id, direction, due_at, pending)
      SELECT ${conversationId}, 'outbound', now(), 1 FROM message
      ON CONFLICT (conversation_id, direction) DO UPDATE SET
        pending = l.pending + 1,
        due_at = COALESCE(l.due_at, CASE
          WHEN EXISTS (SELECT FROM held) THEN NULL
          ELSE GREATEST(now(), (SELECT max(u) FROM unnest(l.callbacks_open_until) u)) END)
      RETURNING conversation_id
    ), entry AS (
      INSERT INTO outbox_entries (conversation_id, direction, message_id)
      SELECT lane.conversation_id, 'outbound', message.id FROM lane, message
    )${written === undefined ? Prisma.empty : Prisma.sql`, audit AS (${insertAudit(written, Prisma.sql`message`)})`}
    SELECT id, true AS is_new FROM message
    UNION ALL
    SELECT id, false FROM repeated`;
  return rows[0] ?? null;
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
