import type { RetentionStore } from "../domain/store.ts";
import type { Database } from "./database/database.ts";
import { reclaim } from "./database/reclaim.ts";

/** Any number, the same in all processes: "retain" in ASCII. */
const RETENTION_LOCK = 0x72657461696en;

export function createRetentionStore(database: Database): RetentionStore {
  const { prisma } = database;
  return {
    // Found by blocks of the table (BRIN), since messages are stored in the order of their creation. One process at a time: the lock ends
    // with the statement. What still waits in a queue stays, however old; so does what a replay is just putting there: a locked message is
    // skipped, and the state is read from the locked row.
    removeOld: async (olderThanMs, limit) => {
      const rows = await database.query<{ removed: number }>(
        `WITH removed AS (
           DELETE FROM messages WHERE id IN (
             SELECT id FROM messages
             WHERE created_at < now() - $1::float8 * interval '1 millisecond' AND state IS NOT NULL
               AND (SELECT pg_try_advisory_xact_lock(${RETENTION_LOCK}))
             LIMIT $2::int FOR UPDATE SKIP LOCKED
           ) RETURNING id
         )
         SELECT count(*)::int AS removed FROM removed`,
        [olderThanMs, limit],
      );
      return rows[0]?.removed ?? 0;
    },

    // A handful per account at most, so one statement takes them all.
    removeExpiredSecrets: () => prisma.$executeRaw`DELETE FROM account_secrets WHERE expires_at <= now()`,

    reclaim: reclaim(database),
  };
}
