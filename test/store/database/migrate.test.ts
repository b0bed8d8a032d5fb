import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Database } from "../../../src/store/database/database.ts";
import { openDatabase } from "../../../src/store/database/database.ts";
import { migrate } from "../../../src/store/database/migrate.ts";

const FOLDER = fileURLToPath(new URL("../../../prisma/migrations/", import.meta.url));

let pglite: PGlite;
let database: Database;

beforeEach(async () => {
  pglite = new PGlite();
  database = await openDatabase({ kind: "opened", pglite });
});

afterEach(() => database.close());

const books = async () => (await pglite.query<Record<string, unknown>>("SELECT * FROM _prisma_migrations ORDER BY migration_name")).rows;

const tables = async () =>
  (await pglite.query<{ name: string }>("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'")).rows.map(
    ({ name }) => name,
  );

test("every migration is applied once and recorded as Prisma records it; a second run does nothing", async () => {
  const names = (await readdir(FOLDER, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(await migrate(database)).toEqual(names.sort());
  const recorded = await books();
  for (const [index, name] of names.entries()) {
    const checksum = createHash("sha256")
      .update(await readFile(`${FOLDER}${name}/migration.sql`))
      .digest("hex");
    expect(recorded[index]).toMatchObject({ migration_name: name, checksum, applied_steps_count: 1, rolled_back_at: null });
    expect(recorded[index]?.finished_at).toBeInstanceOf(Date);
  }
  expect(await tables()).toEqual(expect.arrayContaining(["accounts", "conversations", "messages", "attempts"]));

  expect(await migrate(database)).toEqual([]);
  expect(await books()).toEqual(recorded);
});

test("a database that was migrated from another file is refused, and left as it is", async () => {
  await migrate(database);
  await pglite.query("UPDATE _prisma_migrations SET checksum = $1", ["0".repeat(64)]);
  const before = await books();
  await expect(migrate(database)).rejects.toMatchObject({ code: "MIGRATION_CHANGED", message: expect.stringContaining("start the build") });
  expect(await books()).toEqual(before);
});

test("a migration that fails half-way leaves nothing behind, and is applied when the obstacle is gone", async () => {
  // In the way of one of the last tables, when most others are made already.
  await pglite.exec("CREATE TABLE api_keys (id int)");
  await expect(migrate(database)).rejects.toThrow(/api_keys/);
  expect((await tables()).sort()).toEqual(["_prisma_migrations", "api_keys"]);
  expect(await books()).toEqual([]);

  await pglite.exec("DROP TABLE api_keys");
  expect((await migrate(database)).length).toBeGreaterThan(0);
  expect(await tables()).toContain("accounts");
});

test("tables of a build from before the first release are refused, with the way out, and left as they are", async () => {
  await pglite.exec(await readFile(fileURLToPath(new URL("../../fixtures/database/1ffdeea.sql", import.meta.url)), "utf8"));
  const waiting = async () =>
    (await pglite.query("SELECT e.*, m.text FROM outbox_entries e JOIN messages m ON m.id = e.message_id ORDER BY e.id")).rows;
  const [before, applied] = [await waiting(), await books()];
  expect(before).toMatchObject([{ text: "waits first" }, { text: "waits for the desk" }, { text: "waits as well" }]);
  await expect(migrate(database)).rejects.toMatchObject({
    code: "DATABASE_TOO_OLD",
    message: expect.stringMatching(/20261122100000_entries_by_lane.*nothing was changed.*until no message waits.*account list/s),
  });
  expect(await waiting()).toEqual(before);
  expect(await books()).toEqual(applied);
});
