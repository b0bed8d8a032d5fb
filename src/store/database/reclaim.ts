import type { RetentionStore } from "../../domain/store.ts";
import type { Database } from "./database.ts";

/**
 * By the rule of a server's autovacuum, which an embedded database does not have: without this every old version
 * of a row would keep its room. The rule's second half keeps the numbers of transactions from running out.
 */
export function reclaim({ prisma, isExclusive }: Database): RetentionStore["reclaim"] {
  return async (bytesMax) => {
    if (!isExclusive) return;
    const tables = await prisma.$queryRaw<{ name: string }[]>`
      SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_stat_all_tables s ON s.relid = c.oid
      WHERE c.relkind = 'r' AND pg_total_relation_size(c.oid) <= COALESCE(${bytesMax ?? null}::float8, 'infinity')
        AND (s.n_dead_tup > 50 + 0.2 * GREATEST(c.reltuples, 0) OR age(c.relfrozenxid) > 150000000)
      ORDER BY name`;
    for (const { name } of tables) await prisma.$executeRawUnsafe(`VACUUM ${name}`);
  };
}
