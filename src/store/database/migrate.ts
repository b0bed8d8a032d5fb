import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../../base/errors.ts";
import type { Database, ScriptRunner } from "./database.ts";

/** The same folder seen from src/store/database and from dist/store/database. */
const MIGRATIONS_FOLDER = fileURLToPath(new URL("../../../prisma/migrations", import.meta.url));

interface Migration {
  name: string;
  sql: string;
  /** Prisma's checksum: SHA-256 of the file, hex. */
  checksum: string;
}

/**
 * Brings the database up to this build, one process at a time, each migration in a transaction of its own. Keeps Prisma's books
 * (`_prisma_migrations`), so that `prisma migrate deploy` finds what it expects. Done twice, it does nothing.
 * @returns the names of the migrations that were applied
 * @throws ConfigError MIGRATION_CHANGED when an applied migration differs from this build's file, DATABASE_TOO_OLD when the tables were made
 *   before the first one of this build; both leave the database as it is
 */
export async function migrate(database: Database): Promise<string[]> {
  const migrations = await readMigrations();
  return database.withMigrationLock(async (run) => {
    await run.script(BOOKS);
    const applied = await readApplied(run);
    refuseOlder(migrations, applied);
    const missing = migrations.filter((migration) => !isApplied(migration, applied));
    for (const migration of missing) await apply(run, migration);
    return missing.map(({ name }) => name);
  });
}

export interface MigrationState {
  /** Of this build, and not applied. */
  pending: string[];
  /** Applied by another build. */
  unknown: string[];
  /** Applied from a file that is not this build's. */
  changed: string[];
}

/** Tables from before the first migration of this build have another shape, and no migration leads from it. */
function refuseOlder([first]: readonly Migration[], applied: ReadonlyMap<unknown, unknown>): void {
  const older = [...applied.keys()].map(String).filter((name) => first !== undefined && name < first.name);
  const last = older.sort().at(-1);
  if (last === undefined) return;
  throw new ConfigError(
    "DATABASE_TOO_OLD",
    `these tables were made by a build from before the first release (${last}), and this build cannot take them over; nothing was changed. ${TOO_OLD_REMEDY}`,
  );
}

export const TOO_OLD_REMEDY =
  "Let that build run until no message waits (npx wxdesk doctor), note the accounts (npx wxdesk account list --json), then start this one with an empty folder or database and add the accounts again";

/** How the database differs from this build, all of it; applies nothing. */
export async function compareMigrations(run: ScriptRunner): Promise<MigrationState> {
  const migrations = await readMigrations();
  const [books] = await run.query("SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there");
  const applied = books?.there === true ? await readApplied(run) : new Map<unknown, unknown>();
  const names = new Set<unknown>(migrations.map(({ name }) => name));
  return {
    pending: migrations.filter(({ name }) => !applied.has(name)).map(({ name }) => name),
    unknown: [...applied.keys()].filter((name) => !names.has(name)).map(String),
    changed: migrations.filter(({ name, checksum }) => applied.has(name) && applied.get(name) !== checksum).map(({ name }) => name),
  };
}

/** The last migration of this build, for the readiness check. */
export async function lastMigrationName(): Promise<string> {
  const last = (await readMigrations()).at(-1);
  if (last === undefined) throw new ConfigError("SETTINGS_INVALID", `no migrations in ${MIGRATIONS_FOLDER}; install the package again`);
  return last.name;
}

async function readMigrations(): Promise<Migration[]> {
  const entries = await readdir(MIGRATIONS_FOLDER, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(
    names.sort().map(async (name) => {
      const bytes = await readFile(`${MIGRATIONS_FOLDER}/${name}/migration.sql`);
      return { name, sql: bytes.toString("utf8"), checksum: createHash("sha256").update(bytes).digest("hex") };
    }),
  );
}

async function readApplied(run: ScriptRunner): Promise<Map<unknown, unknown>> {
  const rows = await run.query(
    "SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL",
  );
  return new Map(rows.map((row) => [row.migration_name, row.checksum]));
}

function isApplied({ name, checksum }: Migration, applied: ReadonlyMap<unknown, unknown>): boolean {
  const known = applied.get(name);
  if (known !== undefined && known !== checksum) {
    throw new ConfigError(
      "MIGRATION_CHANGED",
      `migration ${name} was applied from another file; start the build that belongs to this database`,
    );
  }
  return known === checksum;
}

async function apply(run: ScriptRunner, { name, sql, checksum }: Migration): Promise<void> {
  // Names and checksums come from our own files, and a script takes no parameters.
  const entry = `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
    VALUES ('${randomUUID()}', '${checksum}', '${name}', now(), 1)`;
  try {
    await run.script(`BEGIN;\n${sql}\n;${entry};\nCOMMIT;`);
  } catch (cause) {
    await run.script("ROLLBACK");
    throw cause;
  }
}

/** As Prisma itself creates it. */
const BOOKS = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                  VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum            VARCHAR(64) NOT NULL,
  finished_at         TIMESTAMPTZ,
  migration_name      VARCHAR(255) NOT NULL,
  logs                TEXT,
  rolled_back_at      TIMESTAMPTZ,
  started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;
