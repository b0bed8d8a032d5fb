import type { Direction, Way } from "../../domain/message.ts";
import type { Claim, ClaimedEntry } from "../../domain/outbox.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import { CLAIM_COLUMNS, type ConversationRow, type MessageRow, pick, toConversation, toMessage } from "../rows.ts";

/** A claimed lane with one of its entries, as every statement that claims selects it. */
export interface ClaimRow extends Record<string, unknown> {
  conversation_id: string;
  direction: string;
  holder: string;
  claim_number: bigint;
  paused_until: Date | null;
  entry_id: bigint | null;
  failures: number;
  progress: number;
  enqueued_at: Date;
  claimed_at: Date;
  begun_at: Date | null;
  begun_way: string | null;
}

export const CLAIM_ROW = Prisma.sql`lane.conversation_id, lane.direction, lane.holder, lane.claim_number, lane.paused_until, now() AS claimed_at,
  e.id AS entry_id, e.failures, e.progress, e.enqueued_at, e.begun_at, e.begun_way, ${CLAIM_COLUMNS}`;

/**
 * The first entries of each claimed lane, with what they are about. Lanes keep a row even when their entries are not visible yet.
 * Looked up, not joined, so that the plan is by index whatever it was made from (record-inbound.ts).
 */
export const entriesOf = (entriesMax: Prisma.Sql): Prisma.Sql => Prisma.sql`
  JOIN LATERAL (SELECT * FROM conversations WHERE id = lane.conversation_id LIMIT 1) c ON true
  LEFT JOIN LATERAL (
    SELECT * FROM outbox_entries e WHERE e.conversation_id = lane.conversation_id AND e.direction = lane.direction
    ORDER BY e.id LIMIT ${entriesMax}
  ) e ON true
  LEFT JOIN LATERAL (SELECT * FROM messages WHERE id = e.message_id LIMIT 1) m ON true`;

/** One claim for each lane, its entries in the order of the rows. */
export function toClaims(rows: ClaimRow[]): Claim[] {
  const claims = new Map<string, Claim>();
  for (const row of rows) {
    const key = `${row.conversation_id} ${row.direction}`;
    let claim = claims.get(key);
    if (claim === undefined) {
      claim = {
        conversationId: row.conversation_id,
        direction: row.direction as Direction,
        holder: row.holder,
        claimNumber: String(row.claim_number),
        pausedUntil: row.paused_until,
        entries: [],
        conversation: toConversation(pick<ConversationRow>(row, "c_")),
        claimedAt: row.claimed_at,
      };
      claims.set(key, claim);
    }
    if (row.entry_id !== null) claim.entries.push(toEntry(row, row.entry_id));
  }
  return [...claims.values()];
}

function toEntry(row: ClaimRow, id: bigint): ClaimedEntry {
  return {
    id: String(id),
    message: toMessage(pick<MessageRow>(row, "m_")),
    failures: row.failures,
    progress: row.progress,
    ageMs: row.claimed_at.getTime() - row.enqueued_at.getTime(),
    begun: row.begun_at === null ? null : { at: row.begun_at, way: row.begun_way as Way },
  };
}
