import { type Config, type Environment, readConfig, SettingsError } from "../config.ts";
import type { Finding } from "./finding.ts";

/** Every problem of the settings at once; the config is null when there is one, because nothing starts with it. */
export function diagnoseSettings(environment: Environment): { config: Config | null; findings: Finding[] } {
  try {
    const config = readConfig(environment);
    return { config, findings: [{ name: "settings", ok: true, what: "the settings can be used", why: "", remedy: null }] };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const why = "the gateway does not start with settings that it cannot use";
    const remedy = "correct it in the environment or in .env";
    return { config: null, findings: error.problems.map((what) => ({ name: "settings", ok: false, what, why, remedy })) };
  }
}
