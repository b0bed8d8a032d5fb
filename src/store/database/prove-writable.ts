import { ConfigError } from "../../base/errors.ts";
import type { HealthStore } from "../../domain/store.ts";
import type { Database, ScriptRunner } from "./database.ts";
import { lastMigrationName } from "./migrate.ts";

export function createHealthStore({ proof }: Database): HealthStore {
  return {
    check: async () => {
      const name = await lastMigrationName();
      const rows = await proof.query("SELECT 1 FROM _prisma_migrations WHERE migration_name = $1 AND finished_at IS NOT NULL", [name]);
      if (rows.length === 0) throw new ConfigError("MIGRATIONS_INCOMPLETE", `migration ${name} is not applied; start this build once`);
      await proveWritable(proof, true);
    },
  };
}

/** Resolves when messages can be stored or, before the tables are there, when these can be made; else rejects with what PostgreSQL says. */
export function proveWritable(run: ScriptRunner, isMigrated: boolean): Promise<void> {
  return run.script(isMigrated ? STORING : MIGRATING);
}

/**
 * All that storing a message needs, in one transaction that leaves one row:
 * - Locks as writers take them. They wait as long as a writer would, and no longer.
 * - Room on the disk. A row that is written again fits where it was, so a sort that does not fit into `work_mem` takes 300 KB of new
 *   room for a moment; a full disk refuses them with 53100, as it will when a table has to grow.
 *   A role that may have no temporary files (temp_file_limit) proves no room; a server that logs them (log_temp_files) is asked not to.
 * - A commit that reaches the log.
 */
const STORING = `DO $$ BEGIN
  LOCK TABLE conversations, messages, attempts IN ROW EXCLUSIVE MODE;
  LOCK TABLE accounts, account_secrets IN ACCESS SHARE MODE;
  BEGIN
    PERFORM set_config('log_temp_files', '-1', true);
  EXCEPTION WHEN insufficient_privilege THEN NULL;
  END;
  BEGIN
    PERFORM set_config('work_mem', '64kB', true);
    PERFORM max(length(filler)) FROM (SELECT repeat('x', 1000) || n AS filler FROM generate_series(1, 300) n ORDER BY n DESC OFFSET 0) sorted;
  EXCEPTION WHEN configuration_limit_exceeded THEN NULL;
  END;
  INSERT INTO write_proofs VALUES (1, now()) ON CONFLICT (id) DO UPDATE SET proved_at = now();
END $$`;

const MIGRATING = `DO $$ BEGIN
  CREATE TABLE wxdesk_write_proof (id INT);
  DROP TABLE wxdesk_write_proof;
END $$`;
