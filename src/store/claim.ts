import type { DeskStatus } from "../domain/conversation.ts";
import { inBatches } from "../domain/in-batches.ts";
import type { Direction, InboundState, Way } from "../domain/message.ts";
import type { Answer, Claim, ClaimedEntry, LaneKey } from "../domain/outbox.ts";
import type { CallbackProspect, OutboxStore } from "../domain/store.ts";
import { Prisma, type PrismaClient } from "../generated/prisma/client.ts";
import { CLAIM_COLUMNS, type ConversationRow, type MessageRow, pick, toConversation, toMessage } from "./rows.ts";

interface ClaimRow extends Record<string, unknown> {
  conversation_id: string;
  direction: string;
  holder: string;
  claim_number: bigint;
  paused_until: Date | null;
  entry_id: bigint | null;
  failures: number;
  progress: number;
  enqueued_at: Date;
  begun_at: Date | null;
  begun_way: string | null;
}

const LANE_COLUMNS = Prisma.raw(`lane.conversation_id, lane.direction, lane.holder, lane.claim_number, lane.paused_until,
  e.id AS entry_id, e.failures, e.progress, e.enqueued_at, e.begun_at, e.begun_way`);

/**
 * A lane whose moment is up to this is due. Moments are kept to the millisecond and rounded, so what was made due just now may
 * stand half a millisecond ahead; missed, it would wait for the next look.
 */
export const SOON = Prisma.sql`now() + interval '1 millisecond'`;

/** The first entries of each claimed lane, with what they are about. Lanes keep a row even when their entries are not visible yet. */
const entriesOf = (entriesMax: Prisma.Sql) => Prisma.sql`
  JOIN conversations c ON c.id = lane.conversation_id
  LEFT JOIN LATERAL (
    SELECT * FROM outbox_entries e WHERE e.conversation_id = lane.conversation_id AND e.direction = lane.direction
    ORDER BY e.id LIMIT ${entriesMax}
  ) e ON true
  LEFT JOIN messages m ON m.id = e.message_id`;

/**
 * A lane is due when its moment has come; for a claimed one that moment is the end of its lease. Locked rows are skipped, not awaited.
 *
 * Every claim takes a lane only in the version (ctid) that its own statement began with. The entries are read from that snapshot: of
 * a lane that a late holder settled in between, it would show an entry that is gone, or its progress before the last part left.
 */
export const claimDue: (prisma: PrismaClient) => OutboxStore["claimDue"] =
  (prisma) =>
  async ({ holder, lanesMax, entriesMax, leaseMs, exceptDesksOf }) => {
    const except =
      exceptDesksOf.length === 0
        ? Prisma.empty
        : Prisma.sql`AND (direction = 'outbound' OR NOT EXISTS (
            SELECT FROM conversations c WHERE c.id = conversation_id AND c.account_id = ANY(${exceptDesksOf}::text[])))`;
    const rows = await prisma.$queryRaw<ClaimRow[]>`
      WITH due AS (
        SELECT ctid, conversation_id, direction FROM outbox_lanes WHERE due_at <= ${SOON} ${except}
        ORDER BY due_at LIMIT ${lanesMax}::int FOR NO KEY UPDATE SKIP LOCKED
      ), lane AS (
        UPDATE outbox_lanes l
        SET holder = ${holder}, claim_number = l.claim_number + 1, due_at = now() + ${leaseMs}::int * interval '1 millisecond'
        FROM due WHERE l.conversation_id = due.conversation_id AND l.direction = due.direction AND l.ctid = due.ctid
        RETURNING l.*, NULL::timestamptz AS paused_until
      )
      SELECT ${LANE_COLUMNS}, ${CLAIM_COLUMNS} FROM lane ${entriesOf(Prisma.sql`${entriesMax}::int`)} ORDER BY lane.conversation_id, lane.direction, e.id`;
    return toClaims(rows);
  };

type LaneClaim = { lane: LaneKey } & Parameters<OutboxStore["claimLane"]>[1];

/** As many as a worker may have at once. */
const LANES_MAX = 64;

/** A statement that stands still must not hold up every other lane. */
const STALLED_AFTER_MS = 250;

/**
 * Lanes that are asked for while a claim is under way are claimed together. A locked one is skipped, not awaited: whoever writes to a
 * lane has it tried afterwards.
 */
export const claimLane: (prisma: PrismaClient) => OutboxStore["claimLane"] = (prisma) => {
  const claimOne = inBatches((asked: readonly LaneClaim[]) => claimLanes(prisma, asked), {
    sizeMax: LANES_MAX,
    stalledAfterMs: STALLED_AFTER_MS,
    isWorthSplitting: () => false,
  });
  return ({ conversationId, direction }, options) => claimOne({ lane: { conversationId, direction }, ...options });
};

async function claimLanes(prisma: PrismaClient, asked: readonly LaneClaim[]): Promise<(Claim | null)[]> {
  const column = <T>(of: (claim: LaneClaim) => T): T[] => asked.map(of);
  const rows = await prisma.$queryRaw<ClaimRow[]>`
    WITH asked AS (
      -- Asked for twice, a lane goes to the first.
      SELECT DISTINCT ON (conversation_id, direction) * FROM unnest(
        ${column(({ lane }) => lane.conversationId)}::text[], ${column(({ lane }) => lane.direction)}::text[],
        ${column(({ holder }) => holder)}::text[], ${column(({ entriesMax }) => entriesMax)}::int[], ${column(({ leaseMs }) => leaseMs)}::int[]
      ) WITH ORDINALITY AS t (conversation_id, direction, holder, entries_max, lease_ms, position)
      ORDER BY conversation_id, direction, position
    ), due AS (
      SELECT l.ctid, l.conversation_id, l.direction, asked.holder, asked.entries_max, asked.lease_ms
      FROM asked JOIN outbox_lanes l ON l.conversation_id = asked.conversation_id AND l.direction = asked.direction
      WHERE l.due_at <= ${SOON} FOR NO KEY UPDATE OF l SKIP LOCKED
    ), lane AS (
      UPDATE outbox_lanes l
      SET holder = due.holder, claim_number = l.claim_number + 1, due_at = now() + due.lease_ms * interval '1 millisecond'
      FROM due WHERE l.conversation_id = due.conversation_id AND l.direction = due.direction AND l.ctid = due.ctid
      RETURNING l.*, NULL::timestamptz AS paused_until, due.entries_max
    )
    SELECT ${LANE_COLUMNS}, ${CLAIM_COLUMNS} FROM lane ${entriesOf(Prisma.sql`lane.entries_max`)} ORDER BY lane.conversation_id, lane.direction, e.id`;
  const claims = toClaims(rows);
  return asked.map(({ lane: { conversationId, direction }, holder }) => {
    const index = claims.findIndex((c) => c.conversationId === conversationId && c.direction === direction && c.holder === holder);
    return index < 0 ? null : (claims.splice(index, 1)[0] ?? null);
  });
}

interface ProspectRow extends Partial<ClaimRow> {
  inbound_state: string;
  inbound_answer: unknown;
  desk_status: string;
  is_desk_away: boolean | null;
}

/**
 * Due or not: a reply that waits for open callbacks, for a pause to end or for the contact's next message may ride on this one.
 *
 * An answer that an earlier callback began and has not settled passes to this one with its claim. Otherwise the earlier one, finding
 * itself too late, could take the reply back and have it sent while this one repeats it.
 */
export const claimForCallback: (prisma: PrismaClient) => OutboxStore["claimForCallback"] =
  (prisma) =>
  async ({ conversationId, messageId, holder, entriesMax, leaseMs }) => {
    const rows = await prisma.$queryRaw<ProspectRow[]>`
      WITH inbound AS (
        SELECT m.state, m.answer, c.status, l.holder IS NULL AND l.due_at > now() AS is_desk_away,
          EXISTS (
            SELECT FROM outbox_entries e
            WHERE e.message_id = m.answer_message_id AND e.begun_way = 'passive'
              AND e.progress < COALESCE((m.answer ->> 'progress')::int, e.progress + 1)
          ) AS is_answer_begun
        FROM messages m JOIN conversations c ON c.id = m.conversation_id
          LEFT JOIN outbox_lanes l ON l.conversation_id = m.conversation_id AND l.direction = 'inbound'
        WHERE m.id = ${messageId}
      ), lane AS (
        UPDATE outbox_lanes l
        SET holder = ${holder}, claim_number = l.claim_number + 1, due_at = now() + ${leaseMs}::int * interval '1 millisecond'
        FROM inbound, outbox_lanes seen
        WHERE inbound.answer IS NULL AND l.conversation_id = ${conversationId} AND l.direction = 'outbound'
          AND l.pending > 0 AND (l.holder IS NULL OR l.due_at <= ${SOON})
          AND seen.conversation_id = l.conversation_id AND seen.direction = l.direction AND seen.ctid = l.ctid
        RETURNING l.*,
          -- Not the moment at which an open callback ends: that one is known by itself.
          CASE WHEN seen.due_at > now() AND seen.due_at <> ALL (seen.callbacks_open_until) THEN seen.due_at END AS paused_until
      ), passed AS (
        UPDATE outbox_lanes l
        SET holder = ${holder}, claim_number = l.claim_number + 1, due_at = now() + ${leaseMs}::int * interval '1 millisecond'
        FROM inbound, outbox_lanes seen
        WHERE inbound.is_answer_begun AND l.conversation_id = ${conversationId} AND l.direction = 'outbound'
          AND seen.conversation_id = l.conversation_id AND seen.direction = l.direction AND seen.ctid = l.ctid
        RETURNING l.conversation_id
      ), claimed AS (
        SELECT ${LANE_COLUMNS}, ${CLAIM_COLUMNS} FROM lane ${entriesOf(Prisma.sql`${entriesMax}::int`)}
      )
      SELECT inbound.state AS inbound_state, inbound.status AS desk_status,
             CASE WHEN NOT inbound.is_answer_begun OR EXISTS (SELECT FROM passed) THEN inbound.answer END AS inbound_answer,
             inbound.is_desk_away, claimed.*
      FROM inbound LEFT JOIN claimed ON true ORDER BY claimed.entry_id`;
    return toProspect(rows);
  };

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

function toClaims(rows: ClaimRow[]): Claim[] {
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
    enqueuedAt: row.enqueued_at,
    begun: row.begun_at === null ? null : { at: row.begun_at, way: row.begun_way as Way },
  };
}
