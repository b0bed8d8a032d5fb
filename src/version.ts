import { readFileSync } from "node:fs";
import { ConfigError } from "./domain/errors.ts";

/** Of package.json: the same file seen from src and from dist. */
export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version?: string };
  if (version === undefined) throw new ConfigError("SETTINGS_INVALID", "package.json has no version; install the package again");
  return version;
}
