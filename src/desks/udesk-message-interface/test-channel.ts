import { readClockOffsetMs } from "../../base/clock-offset.ts";
import { TransportError } from "../../base/errors.ts";
import type { HttpAnswer } from "../../base/http-client.ts";
import type { CheckResult } from "../../domain/check.ts";
import { withSaid } from "../../domain/outcome.ts";
import { parseAnswer, saysYes } from "./answer.ts";
import type { UdeskDeps } from "./deps.ts";
import { toIdentity } from "./identity.ts";
import { quote } from "./quote.ts";
import { isRecord } from "./read.ts";
import { readRefusal } from "./refusal.ts";
import { toSignedQuery } from "./sign.ts";

/** Udesk's own check of address and key. It signs like a message of an unknown contact, so it also finds out whether those are taken. */
export async function testChannel({ account, key, http, now }: UdeskDeps, signal: AbortSignal): Promise<CheckResult> {
  const { url, timeoutMs } = account.desk;
  const query = toSignedQuery(toIdentity(account, NOBODY_YET), key, now());
  try {
    const answer = await http.exchange({ method: "GET", url: `${url.replace(/\/+$/, "")}/test?${query}`, timeoutMs, signal });
    return { ...toCheckResult(answer, key), clockOffsetMs: readClockOffsetMs(answer, now()) };
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const remedy = "check desk.url, and this machine's way to the network (DNS, firewall, proxy)";
    return { ok: false, sentence: `the desk cannot be reached: ${error.message}`, why: CANNOT_FORWARD, remedy, code: error.code };
  }
}

const NOBODY_YET = { openId: "channel-test", contact: { nickname: null, number: null, email: null } };
const CANNOT_FORWARD = "customers' messages wait for the desk, in order, for up to 24 hours";

function toCheckResult(answer: HttpAnswer, key: string): CheckResult {
  const { status } = answer;
  const value = parseAnswer(answer);
  const refusal = readRefusal(value);
  if (refusal) {
    const sentence = withSaid(refusal.meaning, quote(refusal.reason, key));
    return { ok: false, sentence, why: CANNOT_FORWARD, remedy: refusal.remedy, code: "DESK_REFUSED" };
  }
  const isSuccess = status === 200 && isRecord(value) && saysYes(value.success);
  if (isSuccess) return { ok: true, sentence: "the desk answered and accepted the signature" };
  return {
    ok: false,
    sentence: `the desk answered HTTP ${status} without {"success":true}: desk.url is not Udesk's address, or something in between answers`,
    why: CANNOT_FORWARD,
    remedy: "set desk.url to the address that Udesk shows, ending in /im_callback",
    code: `DESK_HTTP_${status}`,
  };
}
