import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { PrismaPGlite } from "pglite-prisma-adapter";
import { expect, test } from "vitest";
// @ts-expect-error: a script without types of its own
import { diffDatabaseAgainstSchema } from "../../scripts/schema-engine.mjs";
import { openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrate.ts";

const SCHEMA = fileURLToPath(new URL("../../prisma/schema.prisma", import.meta.url));

test("schema.prisma and the migrations describe the same database, and a difference is seen", async () => {
  const pglite = new PGlite();
  const database = await openDatabase({ kind: "opened", pglite });
  try {
    await migrate(database);
    expect(await diffDatabaseAgainstSchema(new PrismaPGlite(pglite), SCHEMA)).toBe("");
    await pglite.exec("ALTER TABLE messages DROP COLUMN answer_message_id");
    expect(await diffDatabaseAgainstSchema(new PrismaPGlite(pglite), SCHEMA)).toContain('ADD COLUMN     "answer_message_id" TEXT');
  } finally {
    await database.close();
  }
});
