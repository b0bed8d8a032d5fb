import type { HttpClient } from "../../base/http-client.ts";
import type { AccountIdentity, OfficialAccountSettings } from "../../domain/account.ts";
import type { MediaFetcher } from "../../media/fetcher.ts";
import type { AccessTokens } from "../../platform/access-tokens.ts";
import type { CallbackCredentials } from "../../wechat/credentials.ts";

/** What the entrance of one account is made of. */
export interface OfficialAccountDeps {
  account: Pick<AccountIdentity, "id" | "version"> & { wechat: OfficialAccountSettings };
  /** What callbacks are checked with. Without an encodingAesKey only plain ones can be read. */
  credentials: CallbackCredentials;
  /** Without its appSecret an account can send nothing asynchronously. */
  secrets: { platformSecret?: string | undefined };
  http: HttpClient;
  tokens: AccessTokens;
  /** For what the desk knows by its address. */
  media: MediaFetcher;
  now: () => Date;
}
