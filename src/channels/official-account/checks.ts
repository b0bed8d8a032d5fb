import { z } from "zod";
import type { ReachableChannel } from "../../domain/channel.ts";
import type { CheckResult } from "../../domain/check.ts";
import { AccessTokenRefusal } from "../../platform/access-tokens.ts";
import type { PlatformAnswer } from "../../platform/answer.ts";
import { toFailedCheck, toTokenCheck } from "../../platform/check.ts";
import { callPlatform } from "../../platform/json.ts";
import { callWithToken, readFetchedToken } from "../../platform/with-token.ts";
import { askForToken, fetchToken } from "./access-token.ts";
import { testKeys } from "./check-keys.ts";
import type { OfficialAccountDeps } from "./deps.ts";
import { ERRCODES, TOKEN_ERRCODES } from "./errcodes.ts";
import { isTokenRefused } from "./outcome.ts";

const TIMEOUT_MS = 8_000;

/** What can be found out about an account without a customer noticing. */
export function createChecks(
  deps: OfficialAccountDeps,
): Pick<ReachableChannel, "testKeys" | "testAccess" | "testPermission" | "testReach"> {
  const { account, http, tokens, now } = deps;
  const { appId, apiBaseUrl } = account.wechat;

  const ask = (path: string, body: unknown, signal: AbortSignal): Promise<PlatformAnswer> => {
    const request = { method: "POST", baseUrl: apiBaseUrl, path, body, timeoutMs: TIMEOUT_MS } as const;
    return callWithToken(tokens, {
      owner: account,
      fetchToken: (force) => fetchToken(deps, force),
      call: (token, signal) => callPlatform(http, { ...request, query: { access_token: token }, signal }, now),
      isTokenRefused,
      signal,
    });
  };

  return {
    testKeys: () => testKeys(deps),

    // Asks WeChat itself: a token that is still remembered would not prove that the secret is right.
    async testAccess(signal) {
      const why = "without an access token nothing can be sent: replies wait until there is one";
      try {
        const answer = await askForToken(deps, false, signal);
        if (answer.kind === "none" || answer.errcode !== "0") return toFailedCheck(answer, TOKEN_ERRCODES, why);
        return toTokenCheck(`WeChat gave an access token for ${appId}`, readFetchedToken(answer, TOKEN_ERRCODES), answer.clockOffsetMs);
      } catch (error) {
        if (!(error instanceof AccessTokenRefusal)) throw error;
        const remedy = "set the current AppSecret of WeChat's console, or replies.async to false";
        return { ok: false, sentence: error.message, why, remedy, code: error.outcome.code };
      }
    },

    async testPermission(signal) {
      return toPermission(await ask("/cgi-bin/message/custom/typing", { touser: NOBODY, command: "CancelTyping" }, signal));
    },

    async testReach(signal) {
      return toReach(await ask("/cgi-bin/callback/check", { action: "all", check_operator: "DEFAULT" }, signal));
    },
  };
}

/**
 * No openid looks like this. "Typing" needs the permission of customer-service messages (developers.weixin.qq.com/doc/knowledge/
 * 8a8b25456f2c4b0a.html), says nothing to anybody and takes nothing off a quota; for somebody who is not there even less happens.
 */
const NOBODY = "0";

/** Refusals that speak of the receiver or of the moment: whoever hears them was let in. */
const LET_IN: ReadonlySet<string> = new Set(["0", "40003", "43004", "43019", "45015", "45047", "45072", "45080", "45081"]);
const CANNOT_SEND = "agents' replies reach customers only as passive replies, while a callback is open; all others are held";

function toPermission(answer: PlatformAnswer): CheckResult {
  if (answer.kind === "none") return toFailedCheck(answer, ERRCODES, CANNOT_SEND);
  if (LET_IN.has(answer.errcode)) return { ok: true, sentence: "the account may send customer-service messages" };
  if (ERRCODES.has(answer.errcode)) return toFailedCheck(answer, ERRCODES, CANNOT_SEND);
  return {
    ok: true,
    sentence: `not known: WeChat answered errcode ${answer.errcode} to the question`,
    remedy: "let an agent answer a test contact once, and look at that message's attempts",
    code: answer.errcode,
  };
}

const pathsSchema = z.object({
  dns: z.array(z.object({ ip: z.string() })).default([]),
  ping: z.array(z.object({ ip: z.string(), package_loss: z.string() })).default([]),
});

/** developers.weixin.qq.com, Network_Detection: WeChat resolves the address that callbacks go to, and pings what it finds. */
function toReach(answer: PlatformAnswer): CheckResult {
  const why = "WeChat sends callbacks to the server address of its console: what it cannot reach, customers cannot write to";
  if (answer.kind === "none") return { ok: true, sentence: `not checked: ${answer.outcome.detail}` };
  if (answer.errcode === "40201") return toFailedCheck(answer, ERRCODES, why);
  if (answer.errcode !== "0") return { ok: true, sentence: `not checked: WeChat answered errcode ${answer.errcode}`, code: answer.errcode };
  const paths = pathsSchema.safeParse(answer.fields);
  if (!paths.success) return { ok: true, sentence: "not checked: WeChat's answer has another form than its manual says" };

  const { dns, ping } = paths.data;
  if (dns.length === 0) {
    const sentence = "WeChat finds no address for the host name that callbacks go to";
    return { ok: false, sentence, why, remedy: "check the host name in WeChat's console, and its DNS entry" };
  }
  const found = `WeChat resolves the callback's host name to ${dns.map(({ ip }) => ip).join(", ")}`;
  const silent = ping.filter(({ package_loss: loss }) => loss === "100%").map(({ ip }) => ip);
  if (silent.length === 0) return { ok: true, sentence: found };
  const remedy = "no matter if a firewall swallows pings on purpose; else check that the address is the gateway's and is up";
  return { ok: true, sentence: `${found}; no ping came back from ${silent.join(", ")}`, why, remedy };
}
