import type { SealedSecret, SecretContext } from "../domain/secret-box.ts";
import type { Database, ScriptRunner } from "./database/database.ts";
import { compareMigrations, type MigrationState } from "./database/migrate.ts";

/** What a database holds, for somebody who wants to know whether all is well. */
export interface Inspection {
  serverVersion: string;
  migrations: MigrationState;
  /** Each master key that stored secrets are encrypted with: whose they are, and one of them to try it on. */
  keys: { keyId: string; accountIds: string[]; secret: SealedSecret; context: SecretContext }[];
  /** How many API keys with the role admin there are. */
  admins: number;
  /** Messages that do not move, or only with the contact's help. */
  stopped: { accountId: string; state: "dead" | "failed" | "uncertain" | "held"; count: number }[];
}

/** Reads only, and waits while another process migrates, so that what it sees is whole. What is not there yet is empty. */
export function inspect(database: Database): Promise<Inspection> {
  return database.withMigrationLock(async (run) => {
    const [server] = await run.query("SELECT current_setting('server_version') AS version");
    const isMigrated = await hasTables(run);
    return {
      serverVersion: String(server?.version),
      migrations: await compareMigrations(run),
      keys: isMigrated ? await readKeys(run) : [],
      admins: isMigrated ? await countAdmins(run) : 0,
      stopped: isMigrated ? await countStopped(run) : [],
    };
  });
}

async function hasTables(run: ScriptRunner): Promise<boolean> {
  const [row] = await run.query("SELECT to_regclass('account_secrets') IS NOT NULL AND to_regclass('api_keys') IS NOT NULL AS there");
  return row?.there === true;
}

async function readKeys(run: ScriptRunner): Promise<Inspection["keys"]> {
  const rows = await run.query(`
    SELECT used.account_ids, s.account_id, s.name, s.ciphertext, s.key_id
    FROM (
      SELECT min(id) AS id, array_agg(DISTINCT account_id ORDER BY account_id) AS account_ids FROM account_secrets
      WHERE expires_at IS NULL OR expires_at > now() GROUP BY key_id
    ) used JOIN account_secrets s ON s.id = used.id ORDER BY s.key_id`);
  return rows.map(({ account_ids: accountIds, account_id: accountId, name, ciphertext, key_id: keyId }) => ({
    keyId: String(keyId),
    accountIds: (accountIds as string[]).map(String),
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
    `SELECT account_id, state, sum(count)::int AS count FROM (
       SELECT account_id, state, count(*) AS count FROM messages
       WHERE error_code IS NOT NULL AND state IN ('dead', 'failed', 'uncertain') GROUP BY account_id, state
       UNION ALL
       SELECT account_id, 'held', outbound_last - outbound_done FROM conversations WHERE outbound_held_code IS NOT NULL
     ) stopped GROUP BY account_id, state ORDER BY account_id, state`,
  );
  return rows.map(({ account_id: accountId, state, count }) => ({
    accountId: String(accountId),
    state: state as Inspection["stopped"][number]["state"],
    count: Number(count),
  }));
}
