import type { HttpClient } from "../../base/http-client.ts";
import type { AccountIdentity, WecomSettings } from "../../domain/account.ts";
import type { MediaFetcher } from "../../media/fetcher.ts";
import type { AccessTokens } from "../../platform/access-tokens.ts";
import type { CallbackCredentials } from "../../wechat/credentials.ts";

/** What the entrance of one account is made of. */
export interface WecomDeps {
  account: Pick<AccountIdentity, "id" | "version"> & { wechat: WecomSettings };
  /** What callbacks are checked with. */
  credentials: CallbackCredentials;
  /** Without its corpSecret an app can send nothing asynchronously. */
  secrets: { platformSecret?: string | undefined };
  http: HttpClient;
  tokens: AccessTokens;
  /** For what the desk knows by its address. */
  media: MediaFetcher;
  now: () => Date;
}
