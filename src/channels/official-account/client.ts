import type { Channel } from "../../domain/channel.ts";
import { callPlatform } from "../../platform/json.ts";
import { callWithToken } from "../../platform/with-token.ts";
import { fetchToken } from "./access-token.ts";
import type { OfficialAccountDeps } from "./deps.ts";
import { isTokenRefused, toOutcome } from "./outcome.ts";
import { renderMessage } from "./render-message.ts";

const SEND_TIMEOUT_MS = 10_000;

/** Talks to WeChat's interface for this account. */
export function createClient(deps: OfficialAccountDeps): Pick<Channel, "send"> {
  const { account, http, tokens, now } = deps;
  const { apiBaseUrl } = account.wechat;

  return {
    async send(openId, content, signal) {
      const request = {
        method: "POST",
        baseUrl: apiBaseUrl,
        path: "/cgi-bin/message/custom/send",
        body: renderMessage(openId, content),
        timeoutMs: SEND_TIMEOUT_MS,
      } as const;
      const answer = await callWithToken(tokens, {
        owner: account,
        fetchToken: (force) => fetchToken(deps, force),
        call: (token, signal) => callPlatform(http, { ...request, query: { access_token: token }, signal }, now),
        isTokenRefused,
        signal,
      });
      return answer.kind === "verdict" ? toOutcome(answer.errcode, answer.errmsg) : answer.outcome;
    },
  };
}
