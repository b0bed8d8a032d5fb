import type { AccountIdentity, OfficialAccountSettings } from "../../domain/account.ts";
import type { AccessTokens } from "../../lib/access-tokens.ts";
import type { HttpClient } from "../../lib/http-client.ts";
import type { MediaFetcher } from "../../lib/media-fetcher.ts";
import type { CallbackCredentials } from "../../wechat/credentials.ts";

/** What the entrance of one account is made of. */
export interface OfficialAccountDeps {
  account: Pick<AccountIdentity, "id" | "version"> & { wechat: OfficialAccountSettings };
  /** What callbacks are checked with. Without an encodingAesKey only plain ones can be read. */
  credentials: CallbackCredentials;
  /** Without appSecret nothing can be sent asynchronously. */
  secrets: { appSecret?: string | undefined };
  http: HttpClient;
  tokens: AccessTokens;
  /** For what the desk knows by its address. */
  media: MediaFetcher;
  now: () => Date;
}
