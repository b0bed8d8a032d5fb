import type { Claim } from "../../domain/outbox.ts";
import type { OutboxStore } from "../../domain/store.ts";
import { Prisma, type PrismaClient } from "../../generated/prisma/client.ts";

/** What an unclaimed lane is due at: now if it has entries, after the open callbacks if there are any, else never. */
const DUE_AGAIN = Prisma.sql`CASE WHEN pending > 0 THEN GREATEST(now(), (SELECT max(u) FROM unnest(callbacks_open_until) u)) END`;

/** The same, unless the lane was in a pause when it was claimed: then that goes on. */
export const dueUntried = ({ pausedUntil }: Claim): Prisma.Sql =>
  Prisma.sql`CASE WHEN pending > 0 AND ${pausedUntil}::timestamptz(3) > now() THEN ${pausedUntil}::timestamptz(3) ELSE ${DUE_AGAIN} END`;

export const release: (prisma: PrismaClient) => OutboxStore["release"] =
  (prisma) =>
  async (claim, afterMs = 0) => {
    await prisma.$executeRaw`
    UPDATE outbox_lanes SET holder = NULL, due_at = ${dueUntried(claim)} + ${afterMs}::int * interval '1 millisecond'
    WHERE conversation_id = ${claim.conversationId} AND direction = ${claim.direction}
      AND holder = ${claim.holder} AND claim_number = ${claim.claimNumber}::bigint`;
  };

/** A lane that somebody is just writing to is free a moment later; what is left after so many looks ends with its lease. */
const LOOKS_MAX = 10;

/** Waits for no lock: it takes lanes of many conversations, and others who take several would wait for it in turn. */
export const releaseAll: (prisma: PrismaClient) => OutboxStore["releaseAll"] = (prisma) => async (holder) => {
  for (let look = 0; look < LOOKS_MAX; look++) {
    await prisma.$executeRaw`
      WITH held AS (
        SELECT conversation_id, direction FROM outbox_lanes WHERE holder = ${holder} FOR NO KEY UPDATE SKIP LOCKED
      )
      UPDATE outbox_lanes l SET holder = NULL, due_at = ${DUE_AGAIN}
      FROM held WHERE l.conversation_id = held.conversation_id AND l.direction = held.direction AND l.holder = ${holder}`;
    if ((await prisma.outboxLane.count({ where: { holder } })) === 0) return;
  }
};

/** Also ends the reservations of callbacks that were open in a process that is no more. */
export const releaseEverything: (prisma: PrismaClient) => OutboxStore["releaseEverything"] = (prisma) => async () => {
  await prisma.$executeRaw`
    UPDATE outbox_lanes SET callbacks_open_until = '{}', due_at = now()
    WHERE holder IS NOT NULL OR (due_at IS NOT NULL AND due_at = ANY (callbacks_open_until))`;
};
