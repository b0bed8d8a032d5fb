import { join, resolve } from "node:path";
import { createApp } from "../../app/app.ts";
import type { Config } from "../../config.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Api } from "./api.ts";

/**
 * The gateway's own API in this process, on its database, without listener and worker: the same checks, the same audit log.
 * @throws ConfigError as at the start of the gateway
 */
export async function createInProcessApi(config: Config, terminal: Terminal, isVerbose: boolean): Promise<Api> {
  const logTo = { write: (line: string) => terminal.note(line.trimEnd()) };
  const app = await createApp({ ...config, logLevel: isVerbose ? "debug" : "error" }, { logTo });
  await app.admit().catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  if (app.adminKey !== null) terminal.note(toFirstWords(config, app.adminKey));
  return { isRunning: false, request: app.request, close: app.close };
}

/** The first to open the database makes the keys, and this one is shown nowhere else. Perhaps the folder is not the one that was meant. */
function toFirstWords({ databaseUrl, masterKey, dataDir }: Config, adminKey: string): string {
  const where = databaseUrl === undefined ? `in ${resolve(dataDir)}` : "on the server of DATABASE_URL";
  const backup = masterKey === undefined ? `\nback up ${join(dataDir, "master.key")}: stored secrets are lost without it` : "";
  return `this is the first use of the database ${where}\nadmin key, shown this once: ${adminKey}${backup}\n`;
}
