import type { Claim, LaneKey } from "../../domain/outbox.ts";
import type { OutboxStore } from "../../domain/store.ts";
import { Prisma, type PrismaClient } from "../../generated/prisma/client.ts";
import { inBatches } from "../database/in-batches.ts";
import { CLAIM_ROW, type ClaimRow, entriesOf, toClaims } from "./claim-rows.ts";

/**
 * A lane whose moment is up to this is due. Moments are kept to the millisecond and rounded, so what was made due just now may
 * stand half a millisecond ahead; missed, it would wait for the next look.
 */
export const SOON = Prisma.sql`now() + interval '1 millisecond'`;

type LaneClaim = { lane: LaneKey } & Parameters<OutboxStore["claimLane"]>[1];

/** As many as one account's direction may have at once. */
const LANES_MAX = 64;

/** A statement that stands still must not hold up every other lane. */
const STALLED_AFTER_MS = 250;

/**
 * Claims each lane in the row version of the statement's snapshot, as `claimDue` does (claim-due.ts says why). Calls made while a claim
 * runs are batched into the next one. A locked lane is skipped, not awaited: every write to a lane is followed by a claim of it.
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
      SELECT asked.*, l.version
      FROM asked JOIN LATERAL (
        -- COALESCE keeps the index of what is due out of it: through that one it would walk all that waits for a worker.
        SELECT conversation_id, ctid AS version FROM outbox_lanes
        WHERE conversation_id = asked.conversation_id AND direction = asked.direction AND COALESCE(due_at <= ${SOON}, false)
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
      ) l ON l.conversation_id = asked.conversation_id
    ), lane AS (
      UPDATE outbox_lanes l
      SET holder = due.holder, claim_number = l.claim_number + 1, due_at = now() + due.lease_ms * interval '1 millisecond'
      FROM due WHERE l.conversation_id = due.conversation_id AND l.direction = due.direction AND l.ctid = due.version
      RETURNING l.*, NULL::timestamptz AS paused_until, due.entries_max
    )
    SELECT ${CLAIM_ROW} FROM lane ${entriesOf(Prisma.sql`lane.entries_max`)} ORDER BY lane.conversation_id, lane.direction, e.id`;
  const claims = toClaims(rows);
  return asked.map(({ lane: { conversationId, direction }, holder }) => {
    const index = claims.findIndex((c) => c.conversationId === conversationId && c.direction === direction && c.holder === holder);
    return index < 0 ? null : (claims.splice(index, 1)[0] ?? null);
  });
}
