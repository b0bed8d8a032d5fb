import { AccessTokenRefusal, type FetchedToken } from "../../platform/access-tokens.ts";
import type { PlatformAnswer } from "../../platform/answer.ts";
import { callPlatform } from "../../platform/json.ts";
import { readFetchedToken } from "../../platform/with-token.ts";
import type { WecomDeps } from "./deps.ts";
import { ERRCODES } from "./errcodes.ts";

const TIMEOUT_MS = 5_000;

/**
 * Asks for the app's token. WeCom gives the same one until it is near its end or was ended early, so there is nothing to force.
 * @throws AccessTokenRefusal
 */
export async function fetchToken(deps: WecomDeps): Promise<FetchedToken> {
  return readFetchedToken(await askForToken(deps), ERRCODES);
}

/**
 * The same, with the answer as it came.
 * @throws AccessTokenRefusal when the account has no secret to ask with
 */
export async function askForToken({ account, secrets, http, now }: WecomDeps, signal?: AbortSignal): Promise<PlatformAnswer> {
  if (secrets.platformSecret === undefined) {
    throw new AccessTokenRefusal({ code: "ACCOUNT_SECRET_MISSING", detail: `account "${account.id}" has no corpSecret; set it` });
  }
  const { corpId, apiBaseUrl } = account.wechat;
  const query = { corpid: corpId, corpsecret: secrets.platformSecret };
  const call = { method: "GET", baseUrl: apiBaseUrl, path: "/cgi-bin/gettoken", query, timeoutMs: TIMEOUT_MS, signal } as const;
  return callPlatform(http, call, now);
}
