import { ACCOUNT } from "../lib/account.ts";
import { fromDist } from "../lib/from-dist.ts";
import { startRoute } from "../lib/route.ts";
import { serve } from "../lib/serve.ts";

const { createCallback } = await fromDist<typeof import("../../src/channels/official-account/callback.ts")>(
  "channels/official-account/callback.js",
);

/** The gateway without durability: verifies, decrypts and parses with the gateway's own codecs, and forgets. */
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
});

serve({ address: () => address, count: () => read });
