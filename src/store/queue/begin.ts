import type { Way } from "../../domain/message.ts";
import type { Answer, Claim, ClaimedEntry } from "../../domain/outbox.ts";
import type { OutboxStore } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { BATCH_OPTIONS } from "../database/batch-options.ts";
import { inBatches } from "../database/in-batches.ts";
import { toRowsParameter } from "../database/rows-parameter.ts";

interface Begin {
  claim: Claim;
  entries: readonly ClaimedEntry[];
  way: Way;
  leaseMs: number;
  answers: { inboundId: string; answer: Answer } | undefined;
}

/** What is about to leave while the last statement is under way is marked with the next one. */
export const begin: (prisma: PrismaClient) => OutboxStore["begin"] = (prisma) => {
  const mark = inBatches((begins: readonly Begin[]) => markBegun(prisma, begins), {
    ...BATCH_OPTIONS,
    keyOf: ({ claim }) => claim.conversationId,
  });
  return (claim, entries, way, leaseMs, answers) => mark({ claim, entries, way, leaseMs, answers });
};

/**
 * The mark that makes a crash honest: an entry that was begun and never settled may or may not have reached the customer. For a
 * passive reply the callback's answer is written in the same statement; a callback that already has one begins nothing. Locks, and finds, as a
 * settle does (`write-settles.ts`).
 */
async function markBegun(prisma: PrismaClient, begins: readonly Begin[]): Promise<boolean[]> {
  const rows = await prisma.$queryRaw<{ position: number }[]>`
    WITH given AS (
      SELECT * FROM json_to_recordset(${toRowsParameter(begins.map(toRow))}::json) AS t(
        position int, conversation_id text, direction text, holder text, claim_number bigint, entry_ids bigint[], way text, lease_ms int,
        inbound_id text, answer jsonb, answer_message_id text)
    ), conversation AS (
      SELECT given.*
      FROM (SELECT * FROM given ORDER BY conversation_id) given
      CROSS JOIN LATERAL (
        SELECT l.holder, l.claim_number, (
          SELECT count(*) FROM outbox_entries e
          WHERE e.conversation_id = given.conversation_id AND e.direction = given.direction AND e.id = ANY (given.entry_ids)
        ) AS entries
        FROM outbox_lanes l WHERE l.conversation_id = given.conversation_id AND l.direction = given.direction LIMIT 1
      ) seen
      CROSS JOIN LATERAL (SELECT FROM conversations WHERE id = given.conversation_id LIMIT 1 FOR NO KEY UPDATE) c
      WHERE seen.holder = given.holder AND seen.claim_number = given.claim_number AND seen.entries = cardinality(given.entry_ids)
    ), lane AS (
      UPDATE outbox_lanes l SET due_at = now() + o.lease_ms * interval '1 millisecond'
      FROM conversation o
      WHERE l.conversation_id = o.conversation_id AND l.direction = o.direction AND l.holder = o.holder AND l.claim_number = o.claim_number
        AND (SELECT count(*) FROM conversation) > 0
        AND (o.inbound_id IS NULL OR (SELECT m.answer IS NULL FROM messages m WHERE m.id = o.inbound_id))
      RETURNING o.*
    ), callback AS (
      UPDATE messages m SET answer = lane.answer, answer_message_id = lane.answer_message_id FROM lane WHERE m.id = lane.inbound_id
    ), entry AS (
      UPDATE outbox_entries e SET begun_at = now(), begun_way = lane.way
      FROM lane WHERE e.conversation_id = lane.conversation_id AND e.direction = lane.direction AND e.id = ANY (lane.entry_ids)
    )
    SELECT position FROM lane`;
  const begun = new Set(rows.map(({ position }) => position));
  return begins.map((_, position) => begun.has(position));
}

function toRow({ claim, entries, way, leaseMs, answers }: Begin, position: number): object {
  return {
    position,
    conversation_id: claim.conversationId,
    direction: claim.direction,
    holder: claim.holder,
    claim_number: claim.claimNumber,
    entry_ids: entries.map(({ id }) => id),
    way,
    lease_ms: leaseMs,
    inbound_id: answers?.inboundId,
    answer: answers?.answer,
    answer_message_id: answers && entries[0]?.message.id,
  };
}
