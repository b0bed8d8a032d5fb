import type { Scope } from "../../domain/api-key.ts";
import type { Actor, NewAuditEntry } from "../../domain/audit.ts";
import type { Replayed, ReplayFilter, ReplayStore } from "../../domain/store.ts";
import { Prisma, type PrismaClient } from "../../generated/prisma/client.ts";
import { writeAudit } from "../audit.ts";

/** What can be sent again: what has ended without arriving, and what is held. */
const REPLAYABLE = ["dead", "failed", "uncertain", "held"];

export function createReplayStore(prisma: PrismaClient): ReplayStore {
  return { replay: (filter, scope, by) => replay(prisma, filter, scope, by) };
}

async function replay(prisma: PrismaClient, filter: ReplayFilter, scope: Scope, by: Actor): Promise<Replayed[]> {
  const wanted = toCondition(filter, scope);
  return prisma.$transaction(async (tx) => {
    // First the locks, then a look: a second press of the button waits here and then finds nothing left to do.
    await tx.$queryRaw`
      SELECT c.id FROM conversations c WHERE c.id IN (SELECT m.conversation_id FROM messages m WHERE ${wanted} ORDER BY m.seq LIMIT ${filter.limit}::int)
      ORDER BY c.id FOR NO KEY UPDATE`;
    const replayed = await tx.$queryRaw<Replayed[]>`
      WITH wanted AS (
        SELECT m.id, m.seq, m.conversation_id, m.direction, e.id IS NULL AS is_ended
        FROM messages m LEFT JOIN outbox_entries e ON e.message_id = m.id
        WHERE ${wanted} ORDER BY m.seq LIMIT ${filter.limit}::int
      ), lane AS (
        UPDATE outbox_lanes l SET
          pending = l.pending + w.ended,
          -- What is claimed or waits for its moment keeps it; what is parked is due now.
          due_at = COALESCE(l.due_at, now())
        FROM (SELECT conversation_id, direction, count(*) FILTER (WHERE is_ended)::int AS ended FROM wanted GROUP BY 1, 2) w
        WHERE l.conversation_id = w.conversation_id AND l.direction = w.direction
        RETURNING l.conversation_id, l.direction
      ), entry AS (
        INSERT INTO outbox_entries (conversation_id, direction, message_id)
        SELECT w.conversation_id, w.direction, w.id
        FROM wanted w JOIN lane ON lane.conversation_id = w.conversation_id AND lane.direction = w.direction
        WHERE w.is_ended ORDER BY w.seq
      ), freed AS (
        -- All that are held in the lane have their chance with the one that was asked for, and their day for it.
        UPDATE outbox_entries e SET enqueued_at = now() FROM lane, messages m
        WHERE e.conversation_id = lane.conversation_id AND e.direction = lane.direction AND m.id = e.message_id AND m.state = 'held'
      ), message AS (
        UPDATE messages m SET
          state = CASE m.direction WHEN 'inbound' THEN 'received' ELSE 'queued' END, error = NULL, error_code = NULL, settled_at = NULL
        FROM wanted w WHERE m.id = w.id
        RETURNING m.id, m.account_id, m.conversation_id, m.seq
      )
      SELECT account_id AS "accountId", conversation_id AS "conversationId", array_agg(id ORDER BY seq) AS "messageIds"
      FROM message GROUP BY account_id, conversation_id`;
    for (const entry of toAuditEntries(filter, replayed, by)) await writeAudit(tx, entry);
    return replayed;
  });
}

/** One entry per account, so that whoever sees an account sees what was done to it. */
function toAuditEntries({ messageId, states }: ReplayFilter, replayed: readonly Replayed[], actor: Actor): NewAuditEntry[] {
  const accountIds = [...new Set(replayed.map(({ accountId }) => accountId))];
  return accountIds.map((accountId): NewAuditEntry => {
    const entry = { actor, action: "message.retried", accountId, subject: messageId ?? null } as const;
    if (messageId !== undefined) return { ...entry, detail: {} };
    const ofAccount = replayed.filter((one) => one.accountId === accountId);
    const messages = ofAccount.reduce((sum, { messageIds }) => sum + messageIds.length, 0);
    return { ...entry, detail: { messages, states: states ?? REPLAYABLE } };
  });
}

function toCondition({ messageId, accountId, states, since, until }: ReplayFilter, scope: Scope): Prisma.Sql {
  const conditions = [
    // Whatever can be sent again failed once; the few that did have an index of their own.
    Prisma.sql`m.error_code IS NOT NULL`,
    Prisma.sql`m.state = ANY (${(states ?? REPLAYABLE).filter((state) => REPLAYABLE.includes(state))}::text[])`,
    ...(scope === null ? [] : [Prisma.sql`m.account_id = ANY (${scope}::text[])`]),
    ...(messageId === undefined ? [] : [Prisma.sql`m.id = ${messageId}`]),
    ...(accountId === undefined ? [] : [Prisma.sql`m.account_id = ${accountId}`]),
    ...(since === undefined ? [] : [Prisma.sql`m.created_at >= ${since}::timestamptz(3)`]),
    ...(until === undefined ? [] : [Prisma.sql`m.created_at < ${until}::timestamptz(3)`]),
  ];
  return Prisma.join(conditions, " AND ");
}
