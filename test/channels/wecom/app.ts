import { createHttpClient } from "../../../src/base/http-client.ts";
import { createWecom } from "../../../src/channels/wecom/index.ts";
import type { PassiveChannel } from "../../../src/domain/channel.ts";
import { createMediaFetcher } from "../../../src/media/fetcher.ts";
import { createAccessTokens } from "../../../src/platform/access-tokens.ts";
import { ACCOUNT_ID, type ChannelSetup, current, ENCODING_AES_KEY, NOW, PLATFORM_SECRET, TOKEN } from "../conformance.ts";
import { createTokenStore } from "../token-store.ts";

export const CORP_ID = "ww1436e0e65a779aee";
export const AGENT_ID = 1000002;

export interface AppSetup extends ChannelSetup {
  corpId: string;
  token: string;
  encodingAesKey: string;
  /** Undefined: the account has none. */
  platformSecret: string | undefined;
}

export function createApp(setup: Partial<AppSetup> = {}): PassiveChannel {
  const { now = () => NOW, apiBaseUrl = "http://127.0.0.1:9", timestampToleranceSeconds = 600 } = setup;
  const { corpId = CORP_ID, token = TOKEN, encodingAesKey = ENCODING_AES_KEY } = setup;
  const { platformSecret } = { platformSecret: PLATFORM_SECRET, ...setup };
  const { http = createHttpClient(), tokens = createAccessTokens({ store: createTokenStore(now), now }) } = setup;
  return createWecom({
    account: { id: ACCOUNT_ID, version: 1, wechat: { corpId, agentId: AGENT_ID, apiBaseUrl, timestampToleranceSeconds } },
    credentials: setup.credentials ?? { token: current(token), encodingAesKey: current(encodingAesKey) },
    secrets: { platformSecret },
    http,
    tokens,
    media: createMediaFetcher(["127.0.0.0/8"]),
    now,
  });
}
