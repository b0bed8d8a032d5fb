import type { DeskStatus } from "../../domain/conversation.ts";
import type { InboundState } from "../../domain/message.ts";
import type { Answer } from "../../domain/outbox.ts";
import type { CallbackProspect, OutboxStore } from "../../domain/store.ts";
import { Prisma, type PrismaClient } from "../../generated/prisma/client.ts";
import { BATCH_OPTIONS } from "../database/batch-options.ts";
import { inBatches } from "../database/in-batches.ts";
import { toRowsParameter } from "../database/rows-parameter.ts";
import { SOON } from "./claim.ts";
import { CLAIM_ROW, type ClaimRow, entriesOf, toClaims } from "./claim-rows.ts";

type Look = Parameters<OutboxStore["claimForCallback"]>[0];

interface ProspectRow extends Partial<ClaimRow> {
  position: number;
  inbound_state: string;
  inbound_answer: unknown;
  desk_status: string;
  is_desk_away: boolean | null;
}

/** Callbacks that look while the last statement is under way look with the next one. */
export const claimForCallback: (prisma: PrismaClient) => OutboxStore["claimForCallback"] = (prisma) =>
  inBatches((looks: readonly Look[]) => claimForCallbacks(prisma, looks), {
    ...BATCH_OPTIONS,
    // The second of a conversation finds what the first has taken.
    keyOf: ({ conversationId }) => conversationId,
  });

/**
 * Due or not: a reply that waits for open callbacks, for a pause to end or for the contact's next message may ride on this one.
 *
 * An answer that an earlier callback began and has not settled passes to this one with its claim. Otherwise the earlier one, finding
 * itself too late, could take the reply back and have it sent while this one repeats it.
 *
 * As by every claim, a locked lane is skipped, not awaited, and one that has moved since this statement began is not taken.
 */
async function claimForCallbacks(prisma: PrismaClient, looks: readonly Look[]): Promise<CallbackProspect[]> {
  const given = looks.map(({ conversationId, messageId, holder, entriesMax, leaseMs }, position) => ({
    position,
    conversation_id: conversationId,
    message_id: messageId,
    holder,
    entries_max: entriesMax,
    lease_ms: leaseMs,
  }));
  const rows = await prisma.$queryRaw<ProspectRow[]>`
    WITH asked AS (
      SELECT * FROM json_to_recordset(${toRowsParameter(given)}::json) AS t(
        position int, conversation_id text, message_id text, holder text, entries_max int, lease_ms int)
    ), inbound AS (
      SELECT asked.*, m.state, m.answer, c.status, desk_lane.is_desk_away, begun.is_answer_begun
      FROM asked
      CROSS JOIN LATERAL (SELECT state, answer, answer_message_id FROM messages WHERE id = asked.message_id LIMIT 1) m
      CROSS JOIN LATERAL (SELECT status FROM conversations WHERE id = asked.conversation_id LIMIT 1) c
      LEFT JOIN LATERAL (
        SELECT holder IS NULL AND due_at > now() AS is_desk_away
        FROM outbox_lanes WHERE conversation_id = asked.conversation_id AND direction = 'inbound' LIMIT 1
      ) desk_lane ON true
      CROSS JOIN LATERAL (
        SELECT EXISTS (
          SELECT FROM outbox_entries e
          WHERE e.message_id = m.answer_message_id AND e.begun_way = 'passive'
            AND e.progress < COALESCE((m.answer ->> 'progress')::int, e.progress + 1)
        ) AS is_answer_begun
        OFFSET 0
      ) begun
    ), seen AS (
      SELECT inbound.*, l.version, l.due_at, l.callbacks_open_until
      FROM inbound JOIN LATERAL (
        SELECT conversation_id, ctid AS version, due_at, callbacks_open_until FROM outbox_lanes
        WHERE conversation_id = inbound.conversation_id AND direction = 'outbound'
          AND CASE WHEN inbound.answer IS NULL THEN pending > 0 AND (holder IS NULL OR due_at <= ${SOON}) ELSE inbound.is_answer_begun END
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
      ) l ON l.conversation_id = inbound.conversation_id
    ), lane AS (
      UPDATE outbox_lanes l
      SET holder = seen.holder, claim_number = l.claim_number + 1, due_at = now() + seen.lease_ms * interval '1 millisecond'
      FROM seen
      WHERE l.conversation_id = seen.conversation_id AND l.direction = 'outbound' AND l.ctid = seen.version
      RETURNING l.*, seen.position, seen.entries_max, seen.is_answer_begun,
        -- Not the moment at which an open callback ends: that one is known by itself.
        CASE WHEN seen.due_at > now() AND seen.due_at <> ALL (seen.callbacks_open_until) THEN seen.due_at END AS paused_until
    ), claimed AS (
      SELECT lane.position AS claimed_position, ${CLAIM_ROW} FROM lane ${entriesOf(Prisma.sql`lane.entries_max`)} WHERE NOT is_answer_begun
    )
    SELECT inbound.position, inbound.state AS inbound_state, inbound.status AS desk_status, inbound.is_desk_away,
           CASE WHEN NOT inbound.is_answer_begun OR inbound.position IN (SELECT position FROM lane) THEN inbound.answer END AS inbound_answer,
           claimed.*
    FROM inbound LEFT JOIN claimed ON claimed_position = inbound.position ORDER BY claimed.entry_id`;
  return looks.map((_, index) => toProspect(rows.filter(({ position }) => position === index)));
}

function toProspect(rows: ProspectRow[]): CallbackProspect {
  const [row] = rows;
  if (row === undefined) return { answer: null, claim: null, messageState: "received", status: "unknown", isDeskAway: false };
  return {
    answer: toAnswer(row.inbound_answer),
    claim: toClaims(rows.filter(isClaimRow))[0] ?? null,
    messageState: row.inbound_state as InboundState,
    status: row.desk_status as DeskStatus,
    isDeskAway: row.is_desk_away ?? false,
  };
}

function isClaimRow(row: ProspectRow): row is ProspectRow & ClaimRow {
  return typeof row.conversation_id === "string";
}

/** As `begin` wrote it. */
export function toAnswer(json: unknown): Answer | null {
  if (json === null || json === undefined) return null;
  const { createdAt, ...answer } = json as Omit<Answer, "createdAt"> & { createdAt: string };
  return { ...answer, createdAt: new Date(createdAt) };
}
