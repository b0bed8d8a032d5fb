import type { RetentionStore } from "../domain/store.ts";
import type { Database } from "./database/database.ts";
import { reclaim } from "./database/reclaim.ts";

/** Any number, the same in all processes: "retain" in ASCII. */
const RETENTION_LOCK = 0x72657461696en;

export function createRetentionStore(database: Database): RetentionStore {
  const { prisma } = database;
  return {
    // Messages are numbered in the order of their coming, so the oldest are found without looking at the others. One process at a
    // time: the lock ends with the statement. What still waits to leave stays, however old.
    removeOld: async (olderThanMs, limit) => {
      const rows = await prisma.$queryRaw<{ looked: number; removed: number }[]>`
        WITH oldest AS (
          SELECT m.id, m.created_at FROM messages m
          WHERE (SELECT pg_try_advisory_xact_lock(${RETENTION_LOCK}::bigint))
            AND NOT EXISTS (SELECT FROM outbox_entries e WHERE e.message_id = m.id)
          ORDER BY m.seq LIMIT ${limit}::int
        ), removed AS (
          DELETE FROM messages m USING oldest WHERE m.id = oldest.id AND oldest.created_at < now() - ${olderThanMs}::float8 * interval '1 millisecond'
          RETURNING m.id
        )
        SELECT count(*)::int AS removed FROM removed`;
      return rows[0]?.removed ?? 0;
    },

    // A handful per account at most, so one statement takes them all.
    removeExpiredSecrets: () => prisma.$executeRaw`DELETE FROM account_secrets WHERE expires_at <= now()`,

    reclaim: reclaim(database),
  };
}
