import type { Channel } from "../../domain/channel.ts";
import type { CheckResult } from "../../domain/check.ts";
import { AccessTokenRefusal } from "../../platform/access-tokens.ts";
import type { PlatformAnswer } from "../../platform/answer.ts";
import { toFailedCheck, toTokenCheck } from "../../platform/check.ts";
import { callPlatform } from "../../platform/json.ts";
import { callWithToken, readFetchedToken } from "../../platform/with-token.ts";
import { askForToken, fetchToken } from "./access-token.ts";
import { testKeys } from "./check-keys.ts";
import type { WecomDeps } from "./deps.ts";
import { ERRCODES } from "./errcodes.ts";
import { isTokenRefused } from "./outcome.ts";

const TIMEOUT_MS = 8_000;

/** What can be found out about an app without a member noticing. */
export function createChecks(deps: WecomDeps): Pick<Channel, "testKeys" | "testAccess" | "testPermission"> {
  const { account, http, tokens, now } = deps;
  const { corpId, agentId, apiBaseUrl } = account.wechat;

  return {
    testKeys: () => testKeys(deps),

    // Asks WeCom itself: a token that is still remembered would not prove that the secret is right.
    async testAccess(signal) {
      const why = "without an access token nothing can be sent: replies wait until there is one";
      try {
        const answer = await askForToken(deps, signal);
        if (answer.kind === "none" || answer.errcode !== "0") return toFailedCheck(answer, ERRCODES, why);
        return toTokenCheck(`WeCom gave an access token for ${corpId}`, readFetchedToken(answer, ERRCODES), answer.clockOffsetMs);
      } catch (error) {
        if (!(error instanceof AccessTokenRefusal)) throw error;
        const remedy = "set the Secret of the app's page in WeCom's console, or replies.async to false";
        return { ok: false, sentence: error.message, why, remedy, code: error.outcome.code };
      }
    },

    // A company may look at the app whose token it has, and at no other (developer.work.weixin.qq.com/document/path/90227).
    async testPermission(signal) {
      const request = { method: "GET", baseUrl: apiBaseUrl, path: "/cgi-bin/agent/get", timeoutMs: TIMEOUT_MS } as const;
      const answer = await callWithToken(tokens, {
        owner: account,
        fetchToken: () => fetchToken(deps),
        call: (token, signal) => callPlatform(http, { ...request, query: { access_token: token, agentid: String(agentId) }, signal }, now),
        isTokenRefused,
        signal,
      });
      return toPermission(answer, agentId);
    },
  };
}

const CANNOT_SEND = "WeCom refuses the app's messages: agents' replies reach members only as passive replies, while a callback is open";

function toPermission(answer: PlatformAnswer, agentId: number): CheckResult {
  if (answer.kind === "none" || answer.errcode !== "0") return toFailedCheck(answer, ERRCODES, CANNOT_SEND);
  if (answer.fields.close === 1) {
    return { ok: false, sentence: `app ${agentId} is disabled`, why: CANNOT_SEND, remedy: "enable it in WeCom's console" };
  }
  return { ok: true, sentence: `app ${agentId} belongs to the corpSecret, and may send to the members in its visible range` };
}
