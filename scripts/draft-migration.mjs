// Drafts the next migration: applies the existing ones to an empty embedded database and prints the SQL that is missing to
// reach schema.prisma. Read it, correct it, and save it as prisma/migrations/<yyyymmddhhmmss>_<what>/migration.sql.
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { PrismaPGlite } from "pglite-prisma-adapter";
import { diffDatabaseAgainstSchema } from "./schema-engine.mjs";

const prismaFolder = fileURLToPath(new URL("../prisma/", import.meta.url));

const database = new PGlite();
for (const entry of (await readdir(`${prismaFolder}migrations`, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
  if (entry.isDirectory()) await database.exec(await readFile(`${prismaFolder}migrations/${entry.name}/migration.sql`, "utf8"));
}
const sql = await diffDatabaseAgainstSchema(new PrismaPGlite(database), `${prismaFolder}schema.prisma`);
console.log(sql === "" ? "-- The migrations and schema.prisma agree." : sql);
await database.close();
