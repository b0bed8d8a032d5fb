import type { Channel } from "../../domain/channel.ts";
import { callPlatform } from "../../platform/json.ts";
import { callWithToken } from "../../platform/with-token.ts";
import { fetchToken } from "./access-token.ts";
import type { WecomDeps } from "./deps.ts";
import { isTokenRefused, toDeliveryOutcome, toOutcome } from "./outcome.ts";
import { renderMessage, TEXT_BYTES_MAX } from "./render-message.ts";

const SEND_TIMEOUT_MS = 10_000;

/** Talks to WeCom's interface for this app. */
export function createClient(deps: WecomDeps): Pick<Channel, "send"> {
  const { account, http, tokens, now } = deps;
  const { agentId, apiBaseUrl } = account.wechat;

  return {
    async send(openId, content, signal) {
      if (!isOneMember(openId)) {
        return { kind: "rejected", code: "RECEIVER_INVALID", detail: "the receiver is not one member; check the userid" };
      }
      const body = renderMessage(openId, agentId, content);
      // WeCom would take it and show only the beginning, without a word to us.
      if (Buffer.byteLength(body.text?.content ?? "") > TEXT_BYTES_MAX) return toOutcome("45002", "");

      const request = {
        method: "POST",
        baseUrl: apiBaseUrl,
        path: "/cgi-bin/message/send",
        body,
        timeoutMs: SEND_TIMEOUT_MS,
      } as const;
      const answer = await callWithToken(tokens, {
        owner: account,
        fetchToken: () => fetchToken(deps),
        call: (token, signal) => callPlatform(http, { ...request, query: { access_token: token }, signal }, now),
        isTokenRefused,
        signal,
      });
      if (answer.kind === "none") return answer.outcome;
      return answer.errcode === "0" ? toDeliveryOutcome(openId, answer.fields) : toOutcome(answer.errcode, answer.errmsg);
    },
  };
}

/** In touser a bar separates members and @all means the whole company: a reply must never reach either. */
function isOneMember(userId: string): boolean {
  return userId !== "" && !userId.includes("|") && userId.toLowerCase() !== "@all";
}
