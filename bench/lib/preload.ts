import { ACCOUNT } from "./account.ts";
import { createAccount, startGateway } from "./gateway.ts";
import { query, type Server } from "./postgres.ts";
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

/** Stores messages as if they had come one by one: the same rows, by the server itself. */
export async function preload(url: string, messages: Preload): Promise<void> {
  const account = messages.as === "away" ? AWAY : ACCOUNT.id;
  for (const [sql, values] of toPreloadStatements(messages, account)) await query(url, sql, values);
  await query(url, "VACUUM ANALYZE");
}
