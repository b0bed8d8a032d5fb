import type { CheckResult } from "../domain/check.ts";
import type { FetchedToken } from "./access-tokens.ts";
import type { PlatformAnswer } from "./answer.ts";
import { type Errcodes, lookUp } from "./errcodes.ts";

const NETWORK_REMEDY = "check this machine's way to the network (DNS, firewall, proxy) and the account's apiBaseUrl";

/** Errcodes of a value that is not entered in the platform's console yet: trusted addresses (40164, 60020), the server address (40201). */
const STEPS: ReadonlySet<string> = new Set(["40164", "60020", "40201"]);

/** A check that the platform did not let pass, in the words of its dictionary. */
export function toFailedCheck(answer: PlatformAnswer, errcodes: Errcodes, why: string): CheckResult {
  if (answer.kind === "none") {
    const { code, detail } = answer.outcome;
    return { ok: false, sentence: detail, why, remedy: NETWORK_REMEDY, code };
  }
  const { errcode, errmsg, clockOffsetMs } = answer;
  const { meaning, remedy } = lookUp(errcodes, errcode, errmsg);
  return { ok: false, sentence: `${meaning} (errcode ${errcode})`, why, remedy, code: errcode, clockOffsetMs, isStep: STEPS.has(errcode) };
}

/** A check that got an access token; `gave` says from whom and for whom. */
export function toTokenCheck(gave: string, { expiresInSeconds, lifetimeDoubt }: FetchedToken, clockOffsetMs: number | null): CheckResult {
  if (lifetimeDoubt === undefined) return { ok: true, sentence: `${gave}; it is good for ${expiresInSeconds} seconds`, clockOffsetMs };
  const why = "the token is used, and a new one asked for more often than needed";
  const remedy = "if a proxy or token server stands behind the account's apiBaseUrl, have it pass on the platform's whole answer";
  return { ok: true, sentence: `${gave}, but not for how long: ${lifetimeDoubt}`, why, remedy, clockOffsetMs };
}
