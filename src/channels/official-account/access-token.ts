import { AccessTokenRefusal, type FetchedToken } from "../../platform/access-tokens.ts";
import type { PlatformAnswer } from "../../platform/answer.ts";
import { callPlatform } from "../../platform/json.ts";
import { readFetchedToken } from "../../platform/with-token.ts";
import type { OfficialAccountDeps } from "./deps.ts";
import { TOKEN_ERRCODES } from "./errcodes.ts";

const TIMEOUT_MS = 5_000;

/**
 * Asks for a stable token: other systems that share the appId cannot end it, and it is the same one until it is near its end.
 * @throws AccessTokenRefusal
 */
export async function fetchToken(deps: OfficialAccountDeps, force: boolean): Promise<FetchedToken> {
  return readFetchedToken(await askForToken(deps, force), TOKEN_ERRCODES);
}

/**
 * The same, with the answer as it came.
 * @throws AccessTokenRefusal when the account has no secret to ask with
 */
export async function askForToken(deps: OfficialAccountDeps, force: boolean, signal?: AbortSignal): Promise<PlatformAnswer> {
  const { account, secrets, http, now } = deps;
  if (secrets.platformSecret === undefined) {
    throw new AccessTokenRefusal({ code: "ACCOUNT_SECRET_MISSING", detail: `account "${account.id}" has no appSecret; set it` });
  }
  const { appId, apiBaseUrl } = account.wechat;
  const body = { grant_type: "client_credential", appid: appId, secret: secrets.platformSecret, force_refresh: force };
  const call = {
    method: "POST",
    baseUrl: apiBaseUrl,
    path: "/cgi-bin/stable_token",
    query: {},
    body,
    timeoutMs: TIMEOUT_MS,
    signal,
  } as const;
  return callPlatform(http, call, now);
}
