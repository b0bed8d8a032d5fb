import { type Config, type Environment, readConfig, SettingsError } from "../config.ts";
import type { Finding } from "./finding.ts";

/** Every problem of the settings at once; the config is null when there is one, because nothing starts with it. */
export function diagnoseSettings(environment: Environment): { config: Config | null; findings: Finding[] } {
  try {
    const config = readConfig(environment);
    const fine: Finding = { name: "settings", ok: true, what: "the settings can be used", why: "", remedy: null };
    return { config, findings: [fine, ...findMissingWorker(config)] };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const why = "the gateway does not start with settings that it cannot use";
    const remedy = "correct it in the environment or in .env";
    return { config: null, findings: error.problems.map((what) => ({ name: "settings", ok: false, what, why, remedy })) };
  }
}

function findMissingWorker({ role, databaseUrl }: Config): Finding[] {
  if (role !== "http" || databaseUrl !== undefined) return [];
  const what = "WXDESK_ROLE is http, and the database is the embedded one";
  const why = "no other process can open it to work on it, so nothing is forwarded to the desk or sent later";
  return [{ name: "role", ok: "warning", what, why, remedy: "set WXDESK_ROLE to all, or DATABASE_URL to a server that a worker shares" }];
}
