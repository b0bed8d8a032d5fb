import { randomInt } from "node:crypto";
import type { AccountIdentity, OfficialAccountSettings } from "../../domain/account.ts";
import type { PassiveChannel } from "../../domain/channel.ts";
import type { AccessTokens } from "../../lib/access-tokens.ts";
import type { HttpClient } from "../../lib/http-client.ts";
import { decodeAesKey } from "../../wechat/cipher.ts";
import { sealEnvelope } from "../../wechat/envelope.ts";
import { canRenderPassively, renderPassiveReply } from "../../wechat/passive-reply.ts";
import { createCallback } from "./callback.ts";
import { createClient } from "./client.ts";
import { replyAllowance } from "./reply-allowance.ts";

export interface OfficialAccountDeps {
  account: Pick<AccountIdentity, "id" | "version"> & { wechat: OfficialAccountSettings };
  secrets: { token: string; encodingAesKey: string; appSecret: string };
  http: HttpClient;
  tokens: AccessTokens;
  now: () => Date;
}

// WeChat reports 2047 bytes and fails from about 600 characters on (wechat.md §7).
const PASSIVE_TEXT_BYTES_MAX = 1_800;
const ASYNC_TEXT_BYTES_MAX = 2_048;
const ARTICLES_MAX = 1;

/** The entrance of one Official Account. Throws when the EncodingAESKey is not one. */
export function createOfficialAccount(deps: OfficialAccountDeps): PassiveChannel {
  const { account, secrets, now } = deps;
  const aesKey = decodeAesKey(secrets.encodingAesKey);

  return {
    ...createCallback(deps, aesKey),
    ...createClient(deps),
    acknowledgement: "success",
    asyncTextBytesMax: ASYNC_TEXT_BYTES_MAX,
    passiveTextBytesMax: PASSIVE_TEXT_BYTES_MAX,
    replyAllowance,
    canRender: (content) => canRenderPassively(content, ARTICLES_MAX),

    renderReply({ openId, accountName, encrypted }, content, createdAt) {
      const reply = renderPassiveReply({ openId, accountName }, content, createdAt);
      const timestampSeconds = Math.floor(now().getTime() / 1_000);
      const seal = { token: secrets.token, key: aesKey, receiverId: account.wechat.appId, timestampSeconds, nonce: randomNonce() };
      return { contentType: "application/xml; charset=utf-8", body: encrypted ? sealEnvelope(reply, seal) : reply };
    },
  };
}

function randomNonce(): string {
  return String(randomInt(1_000_000_000, 10_000_000_000));
}
