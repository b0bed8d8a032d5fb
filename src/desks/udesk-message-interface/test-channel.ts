import type { CheckResult } from "../../domain/channel.ts";
import { TransportError } from "../../domain/errors.ts";
import type { HttpAnswer } from "../../lib/http-client.ts";
import { parseAnswer } from "./answer.ts";
import type { UdeskDeps } from "./deps.ts";
import { toIdentity } from "./identity.ts";
import { isRecord } from "./read.ts";
import { readRefusal } from "./refusal.ts";
import { toSignedQuery } from "./sign.ts";

/** Udesk's own check of address and key. It signs like a message of an unknown contact, so it also finds out whether those are taken. */
export async function testChannel({ account, key, http, now }: UdeskDeps, signal: AbortSignal): Promise<CheckResult> {
  const { url, timeoutMs } = account.desk;
  const query = toSignedQuery(toIdentity(account, NOBODY_YET), key, now());
  try {
    return toCheckResult(await http.exchange({ method: "GET", url: `${url.replace(/\/+$/, "")}/test?${query}`, timeoutMs, signal }));
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    return { ok: false, sentence: `The desk cannot be reached: ${error.message}. Check desk.url and this machine's way to the network.` };
  }
}

const NOBODY_YET = { openId: "channel-test", contact: { nickname: null, number: null, email: null } };

function toCheckResult({ status, body }: HttpAnswer): CheckResult {
  const answer = parseAnswer(body);
  const refusal = readRefusal(answer);
  if (refusal) return { ok: false, sentence: refusal.sentence };
  const isSuccess = status === 200 && isRecord(answer) && answer.success === true;
  if (isSuccess) return { ok: true, sentence: "The desk answered and accepted the signature." };
  return {
    ok: false,
    sentence: `The desk answered HTTP ${status} without {"success":true}: check that desk.url is Udesk's address ending in /im_callback.`,
  };
}
