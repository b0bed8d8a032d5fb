import type { OutboxStore } from "../../domain/store.ts";
import { Prisma, type PrismaClient } from "../../generated/prisma/client.ts";
import { toRowsParameter } from "../database/rows-parameter.ts";
import { SOON } from "./claim.ts";
import { CLAIM_ROW, type ClaimRow, entriesOf, toClaims } from "./claim-rows.ts";

/**
 * A lane is due when its moment has come; for a claimed one that moment is the end of its lease. Locked rows are skipped, not awaited.
 *
 * Each share (one direction of one account) is asked for its own lanes, the longest due first, so that neither waiting lanes of another
 * share stand before them nor have to be read. Where they are more than `lanesMax`, the shares take turns.
 *
 * Every claim takes a lane only in the version (ctid) that its own statement began with. The entries are read from that snapshot: of
 * a lane that a late holder settled in between, it would show an entry that is gone, or its progress before the last part left. By
 * an array of versions, because a join read all lanes: how few the rooms leave, the planner cannot know.
 */
export const claimDue: (prisma: PrismaClient) => OutboxStore["claimDue"] =
  (prisma) =>
  async ({ holder, lanesMax, entriesMax, leaseMs, roomOfEach, rooms }) => {
    const given = rooms.map(({ accountId, direction, room }) => ({ account_id: accountId, direction, room }));
    const rows = await prisma.$queryRaw<ClaimRow[]>`
      WITH share AS (
        SELECT a.id AS account_id, d.direction, COALESCE(r.room, ${roomOfEach}::int) AS room
        FROM accounts a CROSS JOIN (VALUES ('inbound'), ('outbound')) d (direction) LEFT JOIN (
          SELECT * FROM json_to_recordset(${toRowsParameter(given)}::json) AS t(account_id text, direction text, room int)
        ) r ON r.account_id = a.id AND r.direction = d.direction
      ), due AS (
        SELECT l.*, row_number() OVER (PARTITION BY share.account_id, share.direction ORDER BY l.due_at) AS turn
        FROM share CROSS JOIN LATERAL (
          SELECT ctid AS version, due_at FROM outbox_lanes
          WHERE account_id = share.account_id AND direction = share.direction AND due_at <= ${SOON}
          ORDER BY due_at LIMIT share.room FOR NO KEY UPDATE SKIP LOCKED
        ) l
      ), lane AS (
        UPDATE outbox_lanes l
        SET holder = ${holder}, claim_number = l.claim_number + 1, due_at = now() + ${leaseMs}::int * interval '1 millisecond'
        WHERE l.ctid = ANY (ARRAY(SELECT version FROM due ORDER BY turn, due_at LIMIT ${lanesMax}::int))
        RETURNING l.*, NULL::timestamptz AS paused_until
      )
      SELECT ${CLAIM_ROW} FROM lane ${entriesOf(Prisma.sql`${entriesMax}::int`)} ORDER BY lane.conversation_id, lane.direction, e.id`;
    return toClaims(rows);
  };
