import type { Config } from "../config.ts";
import type { Inspection } from "../store/inspect.ts";
import type { Finding } from "./finding.ts";

/** Shorter ones can be guessed; the start warns of them too. */
const CHARACTERS_MIN = 16;

/** Whether somebody can log in. */
export function diagnoseAdminKey({ adminKey }: Config, { admins }: Pick<Inspection, "admins">): Finding[] {
  const name = "adminKey";
  if (adminKey !== undefined && adminKey.length < CHARACTERS_MIN) {
    const remedy = "set WXDESK_ADMIN_KEY to a long random value";
    return [
      { name, ok: "warning", what: `WXDESK_ADMIN_KEY has fewer than ${CHARACTERS_MIN} characters`, why: "it can be guessed", remedy },
    ];
  }
  if (adminKey !== undefined || admins > 0)
    return [{ name, ok: true, what: "there is an API key with the role admin", why: "", remedy: null }];
  return [{ name, ok: true, what: "there is no API key yet; the next start makes one and prints it once", why: "", remedy: null }];
}
