import type { SealedSecret, SecretContext } from "../domain/secret-box.ts";
import type { Database, ScriptRunner } from "./database.ts";
import { compareMigrations, type MigrationState } from "./migrate.ts";

/** What a database holds, for somebody who wants to know whether all is well. */
export interface Inspection {
  serverVersion: string;
  migrations: MigrationState;
  /** One stored secret of each master key that was used. */
  sealed: { secret: SealedSecret; context: SecretContext }[];
  /** How many API keys with the role admin there are. */
  admins: number;
  /** Messages that do not move, or only with the contact's help. */
  stopped: { accountId: string; state: "dead" | "uncertain" | "held"; count: number }[];
}

/** Reads only, and waits while another process migrates, so that what it sees is whole. What is not there yet is empty. */
export function inspect(database: Database): Promise<Inspection> {
  return database.withMigrationLock(async (run) => {
    const [server] = await run.query("SELECT current_setting('server_version') AS version");
    const isMigrated = await hasTables(run);
    return {
      serverVersion: String(server?.version),
      migrations: await compareMigrations(run),
      sealed: isMigrated ? await readSealed(run) : [],
      admins: isMigrated ? await countAdmins(run) : 0,
      stopped: isMigrated ? await countStopped(run) : [],
    };
  });
}

async function hasTables(run: ScriptRunner): Promise<boolean> {
  const [row] = await run.query("SELECT to_regclass('account_secrets') IS NOT NULL AND to_regclass('api_keys') IS NOT NULL AS there");
  return row?.there === true;
}

async function readSealed(run: ScriptRunner): Promise<Inspection["sealed"]> {
  const rows = await run.query("SELECT DISTINCT ON (key_id) account_id, name, ciphertext, key_id FROM account_secrets ORDER BY key_id, id");
  return rows.map(({ account_id: accountId, name, ciphertext, key_id: keyId }) => ({
    secret: { ciphertext: Uint8Array.from(ciphertext as Uint8Array), keyId: String(keyId) },
    context: { accountId: String(accountId), field: String(name) },
  }));
}

async function countAdmins(run: ScriptRunner): Promise<number> {
  const [row] = await run.query("SELECT count(*)::int AS count FROM api_keys WHERE role = 'admin'");
  return Number(row?.count);
}

async function countStopped(run: ScriptRunner): Promise<Inspection["stopped"]> {
  const rows = await run.query(
    `SELECT account_id, state, count(*)::int AS count FROM messages WHERE state IN ('dead', 'uncertain', 'held')
     GROUP BY account_id, state ORDER BY account_id, state`,
  );
  return rows.map(({ account_id: accountId, state, count }) => ({
    accountId: String(accountId),
    state: state as Inspection["stopped"][number]["state"],
    count: Number(count),
  }));
}
