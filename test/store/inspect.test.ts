import { PGlite } from "@electric-sql/pglite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrate.ts";
import { inspect } from "../../src/store/inspect.ts";
import { newAccount, openTestStore, TESTER } from "../support/store.ts";

let pglite: PGlite;
let database: Database;

beforeEach(async () => {
  pglite = new PGlite();
  database = await openDatabase({ kind: "opened", pglite });
});
afterEach(() => database.close());

test("of an empty database everything is still to come, and nothing is made by looking", async () => {
  const inspection = await inspect(database);
  expect(inspection).toMatchObject({ migrations: { unknown: [], changed: [] }, keys: [], admins: 0, stopped: [] });
  const { rows } = await pglite.query("SELECT 1 FROM information_schema.tables WHERE table_schema = 'public'");
  expect(rows).toEqual([]);
  expect(inspection.migrations.pending).toEqual(await migrate(database));
});

test("of migrations, those missing, those of another build and those of another file are told apart", async () => {
  const [first = ""] = await migrate(database);
  await insertLater();
  await pglite.query("UPDATE _prisma_migrations SET checksum = $1 WHERE migration_name = $2", ["0".repeat(64), first]);
  expect((await inspect(database)).migrations).toEqual({ changed: [first], pending: [], unknown: ["29990101000000_later"] });
  await pglite.query("DELETE FROM _prisma_migrations WHERE migration_name = $1", [first]);
  expect((await inspect(database)).migrations).toEqual({ changed: [], pending: [first], unknown: ["29990101000000_later"] });
});

async function insertLater(): Promise<void> {
  await pglite.exec(`INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
    VALUES ('later', '0', '29990101000000_later', now(), 1)`);
}

test("one secret of each master key can be opened again, on either database", async () => {
  const { store, box, database: shared, close } = await openTestStore();
  await store.accounts.create(newAccount("shop"), TESTER);
  await store.accounts.create(newAccount("other"), TESTER);
  const { keys, serverVersion } = await inspect(shared);
  expect(serverVersion).toMatch(/^\d+/);
  expect(keys).toHaveLength(1);
  for (const { secret, context } of keys) {
    const { secrets } = newAccount(context.accountId);
    expect(Object.entries(secrets)).toContainEqual([context.field, box.open(secret, context)]);
  }
  await close();
});
