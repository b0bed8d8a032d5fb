import { afterEach, beforeEach, expect, test } from "vitest";
import { toDatabaseFault } from "../../../src/store/database/to-database-fault.ts";
import { openTestStore, type TestStore } from "../../support/store.ts";

let opened: TestStore;
beforeEach(async () => {
  opened = await openTestStore();
});
afterEach(() => opened.close());

const check = () => opened.store.health.check();
const faultOf = async () => toDatabaseFault(await check().catch((error: unknown) => error))?.code;

test("a database that takes messages passes as often as it is asked, and keeps one row of it", async () => {
  for (let round = 0; round < 3; round++) await check();
  expect(await opened.database.proof.query("SELECT count(*)::int AS count FROM write_proofs")).toEqual([{ count: 1 }]);
});

test("one that is read-only, or lacks a table or this build's migration, does not pass until it has been mended", async () => {
  const { proof } = opened.database;
  await proof.script("SET default_transaction_read_only = on");
  expect(await faultOf()).toBe("DATABASE_READ_ONLY");
  await proof.script("SET default_transaction_read_only = off");
  await check();

  await proof.script("ALTER TABLE attempts RENAME TO tries");
  expect(await faultOf()).toBe("DATABASE_MISMATCHED");
  await proof.script("ALTER TABLE tries RENAME TO attempts");
  await check();

  await proof.script("UPDATE _prisma_migrations SET finished_at = NULL");
  await expect(check()).rejects.toMatchObject({ code: "MIGRATIONS_INCOMPLETE" });
});
