import type { Scope } from "../domain/api-key.ts";
import type { Actor, NewAuditEntry } from "../domain/audit.ts";
import type { Replayed, ReplayFilter, ReplayStore } from "../domain/store.ts";
import { Prisma } from "../generated/prisma/client.ts";
import { writeAudit } from "./audit.ts";
import type { Database } from "./database/database.ts";

/** The states from which a message can be sent again: it ended without arriving, or it is held. */
const REPLAYABLE = ["dead", "failed", "uncertain", "held"];

export function createReplayStore(database: Database): ReplayStore {
  return { replay: (filter, scope, by) => replay(database, filter, scope, by) };
}

async function replay(database: Database, filter: ReplayFilter, scope: Scope, by: Actor): Promise<Replayed[]> {
  const wanted = toCondition(filter, scope);
  return database.prisma.$transaction(async (tx) => {
    // First the locks, then a query for nothing but what is locked: a second press of the button waits here and then finds nothing left to
    // do. A message that another replay or the retention took meanwhile would leave a place without one, and end its queue for ever.
    const conversations = await tx.$queryRaw<{ id: string }[]>`
      SELECT c.id FROM conversations c WHERE c.id IN (SELECT m.conversation_id FROM message_states m WHERE ${wanted} ORDER BY m.seq LIMIT ${filter.limit}::int)
      ORDER BY c.id FOR NO KEY UPDATE`;
    const messages = await tx.$queryRaw<{ id: string; way: string | null }[]>`
      SELECT l.id, l.way FROM messages l WHERE l.id IN (
        SELECT m.id FROM message_states m WHERE ${wanted} AND m.conversation_id = ANY (${conversations.map(({ id }) => id)}::text[])
        ORDER BY m.seq LIMIT ${filter.limit}::int)
      FOR NO KEY UPDATE`;
    const replayed = await tx.$queryRaw<Replayed[]>`
      WITH wanted AS (
        SELECT m.id, m.seq, m.conversation_id, m.direction, m.state <> 'held' AS has_ended
        FROM message_states m WHERE ${wanted} AND m.id = ANY (${messages.map(({ id }) => id)}::text[])
      ), placed AS (
        SELECT w.*, row_number() OVER (PARTITION BY conversation_id, direction ORDER BY seq) AS nth FROM wanted w WHERE has_ended
      ), queue AS (
        SELECT conversation_id, count(*) FILTER (WHERE direction = 'inbound') AS inbound,
          count(*) FILTER (WHERE direction = 'outbound' AND has_ended) AS outbound, bool_or(direction = 'outbound') AS is_freed
        FROM wanted GROUP BY conversation_id
      ), conversation AS (
        UPDATE conversations c SET
          inbound_last = c.inbound_last + q.inbound,
          inbound_due_at = CASE WHEN q.inbound > 0 AND c.inbound_holder IS NULL THEN COALESCE(c.inbound_due_at, now()) ELSE c.inbound_due_at END,
          outbound_last = c.outbound_last + q.outbound,
          -- A queue that is claimed or has its moment keeps it; another one is due now, or when the open callbacks end.
          outbound_due_at = CASE WHEN q.is_freed AND c.outbound_holder IS NULL
            THEN COALESCE(c.outbound_due_at, GREATEST(now(), (SELECT max(u) FROM unnest(c.open_callbacks) u))) ELSE c.outbound_due_at END,
          -- All held messages have their chance with the one that was asked for, and their day for it.
          outbound_freed_at = CASE WHEN q.is_freed THEN now() ELSE c.outbound_freed_at END,
          outbound_held_code = CASE WHEN q.is_freed THEN NULL ELSE c.outbound_held_code END,
          outbound_held = CASE WHEN q.is_freed THEN NULL ELSE c.outbound_held END
        FROM queue q WHERE c.id = q.conversation_id
        RETURNING c.id, c.inbound_last - q.inbound AS inbound_before, c.outbound_last - q.outbound AS outbound_before
      ), message AS (
        UPDATE messages m SET
          place = CASE p.direction WHEN 'inbound' THEN c.inbound_before ELSE c.outbound_before END + p.nth,
          state = NULL, error = NULL, error_code = NULL, settled_at = NULL, requeued_at = now()
        FROM placed p, conversation c WHERE m.id = p.id AND c.id = p.conversation_id
      ), head AS (
        -- The reason for which it was held stands with it, and with its queue.
        UPDATE messages m SET error = NULL, error_code = NULL FROM queue q JOIN conversations c ON c.id = q.conversation_id
        WHERE q.is_freed AND c.outbound_held_code IS NOT NULL
          AND m.conversation_id = c.id AND m.direction = 'outbound' AND m.place = c.outbound_done + 1
      )
      SELECT c.account_id AS "accountId", c.id AS "conversationId", array_agg(w.id ORDER BY w.seq) AS "messageIds"
      FROM wanted w JOIN conversations c ON c.id = w.conversation_id GROUP BY c.account_id, c.id`;
    await forgetAnswers(
      tx,
      messages.flatMap(({ id, way }) => (way === "passive" ? id : [])),
    );
    for (const entry of toAuditEntries(filter, replayed, by)) await writeAudit(tx, entry);
    return replayed;
  });
}

/** A reply that goes out again is no callback's answer any more: given on a repetition of that callback too, it would be seen twice. */
async function forgetAnswers(tx: Prisma.TransactionClient, passiveIds: readonly string[]): Promise<void> {
  if (passiveIds.length === 0) return;
  await tx.$executeRaw`
    UPDATE messages SET answer = NULL, answer_message_id = NULL
    WHERE conversation_id IN (SELECT conversation_id FROM messages WHERE id = ANY (${passiveIds}::text[])) AND direction = 'inbound'
      AND answer_message_id IS NOT NULL
      AND EXISTS (SELECT FROM jsonb_array_elements_text(answer -> 'messageIds') said WHERE said = ANY (${passiveIds}::text[]))`;
}

/** One audit entry per account, so that each key that sees an account sees what was done to it. */
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
    // Messages that ended badly and queues that are held have an index each; the view's own columns have none.
    Prisma.sql`m.id IN (
      SELECT id FROM messages WHERE error_code IS NOT NULL
      UNION ALL
      SELECT h.id FROM conversations c JOIN messages h ON h.conversation_id = c.id AND h.direction = 'outbound' AND h.place > c.outbound_done
      WHERE c.outbound_held_code IS NOT NULL)`,
    Prisma.sql`m.state = ANY (${(states ?? REPLAYABLE).filter((state) => REPLAYABLE.includes(state))}::text[])`,
    ...(scope === null ? [] : [Prisma.sql`m.account_id = ANY (${scope}::text[])`]),
    ...(messageId === undefined ? [] : [Prisma.sql`m.id = ${messageId}`]),
    ...(accountId === undefined ? [] : [Prisma.sql`m.account_id = ${accountId}`]),
    ...(since === undefined ? [] : [Prisma.sql`m.created_at >= ${since}::timestamptz(3)`]),
    ...(until === undefined ? [] : [Prisma.sql`m.created_at < ${until}::timestamptz(3)`]),
  ];
  return Prisma.join(conditions, " AND ");
}
