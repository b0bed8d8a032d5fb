// Prisma's schema engine as WebAssembly: compares schema.prisma with a database, with nothing to download.
// Development only: it drafts migrations (scripts/draft-migration.mjs) and lets a test hold the schema to them.
import { readFile } from "node:fs/promises";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import * as engine from "@prisma/schema-engine-wasm/schema_engine_bg";

let loading;

/** Once in a process: a second instance would pull the memory away from under the first. */
function loadOnce() {
  loading ??= loadEngine();
  return loading;
}

async function loadEngine() {
  const bytes = await readFile(new URL("schema_engine_bg.wasm", import.meta.resolve("@prisma/schema-engine-wasm")));
  const { instance } = await WebAssembly.instantiate(bytes, { "./schema_engine_bg.js": engine });
  engine.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}

/**
 * The SQL that turns the database behind `adapterFactory` (any Prisma driver adapter) into what the schema file says.
 * Empty when the two agree. `ignoreTables` are left out of the comparison.
 */
export async function diffDatabaseAgainstSchema(adapterFactory, schemaPath, ignoreTables = ["_prisma_migrations"]) {
  await loadOnce();
  const content = await readFile(schemaPath, "utf8");
  const files = [{ path: schemaPath, content }];
  const schema = await engine.SchemaEngine.new(
    { datamodels: [[schemaPath, content]] },
    () => {},
    bindMigrationAwareSqlAdapterFactory(adapterFactory),
  );
  const filters = { externalTables: ignoreTables.map((name) => `public.${name}`), externalEnums: [] };
  const { stdout } = await schema.diff({
    from: { tag: "schemaDatasource", files, configDir: "." },
    to: { tag: "schemaDatamodel", files },
    script: true,
    exitCode: null,
    shadowDatabaseUrl: null,
    filters,
  });
  const sql = (stdout ?? "").trim();
  return sql === "-- This is an empty migration." ? "" : sql;
}
