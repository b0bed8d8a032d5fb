import type { OutboxStore } from "../domain/store.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";

/**
 * The mark that makes a crash honest: an entry that was begun and never settled may or may not have reached the customer. For a
 * passive reply the callback's answer is written in the same statement; a callback that already has one begins nothing.
 */
export const begin: (prisma: PrismaClient) => OutboxStore["begin"] = (prisma) => async (claim, entries, way, leaseMs, answers) => {
  const ids = entries.map(({ id }) => BigInt(id));
  const rows = await prisma.$queryRaw<unknown[]>`
    WITH conversation AS (
      SELECT id FROM conversations WHERE id = ${claim.conversationId} FOR NO KEY UPDATE
    ), lane AS (
      UPDATE outbox_lanes l SET due_at = now() + ${leaseMs}::int * interval '1 millisecond'
      FROM conversation
      WHERE l.conversation_id = conversation.id AND l.direction = ${claim.direction}
        AND l.holder = ${claim.holder} AND l.claim_number = ${claim.claimNumber}::bigint
        AND ${ids.length}::int = (SELECT count(*) FROM outbox_entries WHERE id = ANY (${ids}::bigint[]))
        AND (${answers === undefined} OR EXISTS (SELECT FROM messages WHERE id = ${answers?.inboundId ?? null} AND answer IS NULL))
      RETURNING l.conversation_id
    ), callback AS (
      UPDATE messages m SET answer = ${JSON.stringify(answers?.answer ?? null)}::jsonb, answer_message_id = ${entries[0]?.message.id ?? null}
      FROM lane WHERE m.id = ${answers?.inboundId ?? null}
    )
    UPDATE outbox_entries e SET begun_at = now(), begun_way = ${way} FROM lane WHERE e.id = ANY (${ids}::bigint[]) RETURNING e.id`;
  return rows.length > 0;
};
