import { ACCOUNT } from "./account.ts";
import { fromDist } from "./from-dist.ts";
import { startRoute } from "./route.ts";
import { serve } from "./serve.ts";

const { createCallback } = await fromDist<typeof import("../../src/channels/official-account/callback.ts")>(
  "channels/official-account/callback.js",
);

/** Serves the gateway without durability: verifies, decrypts and parses with the gateway's own codecs, and stores nothing. */
export async function serveCodecs(turn?: () => Promise<void>): Promise<void> {
  const { id, appId, token, encodingAesKey } = ACCOUNT;
  const channel = createCallback({
    account: { id, version: 1, wechat: { appId, encryption: "safe", apiBaseUrl: "", timestampToleranceSeconds: 600 } },
    credentials: { token: [{ value: token, expiresAt: null }], encodingAesKey: [{ value: encodingAesKey, expiresAt: null }] },
    secrets: {},
    // Nothing is sent here.
    http: {} as never,
    tokens: {} as never,
    media: {} as never,
    now: () => new Date(),
  });
  let read = 0;
  const address = await startRoute((body, query) => {
    if (channel.open({ body, query }).kind === "message") read++;
    return "success";
  }, turn);
  serve({ address: () => address, count: () => read });
}
