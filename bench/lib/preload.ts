import pg from "pg";
import { ACCOUNT } from "./account.ts";
import { createAccount, startGateway } from "./gateway.ts";
import type { Server } from "./postgres.ts";
import { type Preload, toPreloadStatements } from "./tables.ts";

/** An account whose desk never answers. */
export const AWAY = "away";

/** A database with the gateway's tables, the account of the load, and the one whose desk is away. */
export async function prepareDatabase(server: Server): Promise<string> {
  const databaseUrl = await server.createDatabase();
  const gateway = await startGateway({ databaseUrl, role: "http" });
  await createAccount(gateway);
  await createAccount(gateway, { id: AWAY });
  await gateway.stop();
  return databaseUrl;
}

/**
 * Stores messages in bulk. Indexes are dropped meanwhile and built afterwards, and foreign keys are not checked: a million messages
 * cost the server 15 s of processor time instead of 32.
 */
export async function preload(url: string, messages: Preload): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // As a replica, the session runs no trigger, and foreign keys are checked by triggers.
    await client.query("SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '512MB'");
    const { rows } = await client.query<{ name: string; definition: string }>(PLAIN_INDEXES);
    for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
    const account = messages.as === "away" ? AWAY : ACCOUNT.id;
    for (const [sql, values] of toPreloadStatements(messages, account)) await client.query(sql, values);
    for (const { definition } of rows) await client.query(definition);
    await client.query("VACUUM ANALYZE");
  } finally {
    await client.end();
  }
}

/** Indexes that no constraint needs. Primary keys stay: dropping one would drop the foreign keys that refer to it. */
const PLAIN_INDEXES = `
  SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
  WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)`;
