import { createHttpClient } from "../../../src/base/http-client.ts";
import { createOfficialAccount } from "../../../src/channels/official-account/index.ts";
import type { Encryption } from "../../../src/domain/account.ts";
import type { PassiveChannel } from "../../../src/domain/channel.ts";
import { createMediaFetcher } from "../../../src/media/fetcher.ts";
import { createAccessTokens } from "../../../src/platform/access-tokens.ts";
import { ACCOUNT_ID, type ChannelSetup, current, ENCODING_AES_KEY, NOW, PLATFORM_SECRET, TOKEN } from "../conformance.ts";
import { createTokenStore } from "../token-store.ts";

export const APP_ID = "wxabb8e5e80f591861";

export interface AccountSetup extends ChannelSetup {
  encryption: Encryption;
  /** Undefined: the account has none. */
  encodingAesKey: string | undefined;
  platformSecret: string | undefined;
}

/** The account whose live callbacks of 2022 are among the vectors. */
export function createAccount(setup: Partial<AccountSetup> = {}): PassiveChannel {
  const { now = () => NOW, encryption = "safe", apiBaseUrl = "http://127.0.0.1:9", timestampToleranceSeconds = 600 } = setup;
  const { http = createHttpClient(), tokens = createAccessTokens({ store: createTokenStore(now), now }) } = setup;
  const { encodingAesKey, platformSecret } = { encodingAesKey: ENCODING_AES_KEY, platformSecret: PLATFORM_SECRET, ...setup };
  return createOfficialAccount({
    account: { id: ACCOUNT_ID, version: 1, wechat: { appId: APP_ID, encryption, apiBaseUrl, timestampToleranceSeconds } },
    credentials: setup.credentials ?? { token: current(TOKEN), encodingAesKey: current(encodingAesKey) },
    secrets: { platformSecret },
    http,
    tokens,
    media: createMediaFetcher(["127.0.0.0/8"]),
    now,
  });
}
