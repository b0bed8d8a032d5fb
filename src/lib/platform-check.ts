import type { CheckResult } from "../domain/check.ts";
import { type Errcodes, lookUp } from "./errcodes.ts";
import type { PlatformAnswer } from "./platform-json.ts";

const NETWORK_REMEDY = "check this machine's way to the network (DNS, firewall, proxy) and the account's apiBaseUrl";

/** What a platform answers as long as a value is not entered in its console: trusted addresses (40164, 60020), the server address (40201). */
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
