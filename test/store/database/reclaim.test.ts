import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../support/store.ts";

let opened: TestStore;

beforeEach(async () => {
  opened = await openTestStore();
});

afterEach(() => opened.close());

/** As many entries as messages that came and left. */
async function putAndRemove(): Promise<void> {
  const { prisma } = opened.database;
  await prisma.$executeRaw`INSERT INTO push_rejects (account_id, reason, body) SELECT id, 'r', repeat('x', 500) FROM accounts, generate_series(1, 200)`;
  await prisma.$executeRaw`DELETE FROM push_rejects`;
  // What is counted is otherwise made known once a second.
  await prisma.$queryRaw`SELECT pg_stat_force_next_flush()::text`;
}

async function bytes(): Promise<number> {
  const [row] = await opened.database.prisma.$queryRaw<{ bytes: number }[]>`SELECT pg_relation_size('push_rejects')::int AS bytes`;
  return row?.bytes ?? 0;
}

test.skipIf(process.env.TEST_DATABASE_URL)(
  "the room of what has left is given back, of large tables only when no limit is given",
  async () => {
    await opened.database.prisma
      .$executeRaw`INSERT INTO accounts (id, name, kind, settings) VALUES ('shop', 'Shop', 'official_account', '{}')`;
    for (let round = 0; round < 3; round++) {
      await putAndRemove();
      const full = await bytes();
      expect(full).toBeLessThan(200_000);
      await opened.store.retention.reclaim(full / 2);
      expect(await bytes()).toBe(full);
      await opened.store.retention.reclaim();
      expect(await bytes()).toBe(0);
    }
  },
);
