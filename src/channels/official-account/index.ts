import { randomInt } from "node:crypto";
import type { PassiveChannel, ReachableChannel } from "../../domain/channel.ts";
import { ConfigError } from "../../domain/errors.ts";
import { decodeAesKey } from "../../wechat/cipher.ts";
import { sealEnvelope } from "../../wechat/envelope.ts";
import { canRenderPassively, renderPassiveReply } from "../../wechat/passive-reply.ts";
import { createCallback } from "./callback.ts";
import { createChecks } from "./checks.ts";
import { createClient } from "./client.ts";
import type { OfficialAccountDeps } from "./deps.ts";
import { canRenderMessage } from "./render-message.ts";
import { replyAllowance } from "./reply-allowance.ts";

// WeChat reports 2047 bytes and fails from about 600 characters on (wechat.md §7).
const PASSIVE_TEXT_BYTES_MAX = 1_800;
const ASYNC_TEXT_BYTES_MAX = 2_048;
const ARTICLES_MAX = 1;
const CONTENT_TYPE = "application/xml; charset=utf-8";

/**
 * The entrance of one Official Account.
 * @throws ConfigError ACCOUNT_SECRET_MISSING when its mode needs an encodingAesKey, DecodeError when that is not one
 */
export function createOfficialAccount(deps: OfficialAccountDeps): PassiveChannel & ReachableChannel {
  const { account, secrets, now } = deps;
  const aesKey = readAesKey(deps);

  return {
    ...createCallback(deps, aesKey),
    ...createClient(deps),
    ...createChecks(deps),
    acknowledgement: "success",
    asyncTextBytesMax: ASYNC_TEXT_BYTES_MAX,
    passiveTextBytesMax: PASSIVE_TEXT_BYTES_MAX,
    replyAllowance,
    canSend: canRenderMessage,
    canRender: (content) => canRenderPassively(content, ARTICLES_MAX),

    renderReply({ openId, accountName, encrypted }, content, createdAt) {
      const reply = renderPassiveReply({ openId, accountName }, content, createdAt);
      if (!encrypted || aesKey === null) return { contentType: CONTENT_TYPE, body: reply };
      const timestampSeconds = Math.floor(now().getTime() / 1_000);
      const seal = { token: secrets.token, key: aesKey, receiverId: account.wechat.appId, timestampSeconds, nonce: randomNonce() };
      return { contentType: CONTENT_TYPE, body: sealEnvelope(reply, seal) };
    },
  };
}

function readAesKey({ account, secrets }: OfficialAccountDeps): Buffer | null {
  if (secrets.encodingAesKey !== undefined) return decodeAesKey(secrets.encodingAesKey);
  const { encryption } = account.wechat;
  if (encryption === "plain") return null;
  const remedy = "set the one of WeChat's console, or its encryption to plain";
  throw new ConfigError("ACCOUNT_SECRET_MISSING", `account "${account.id}" has no encodingAesKey for ${encryption} mode; ${remedy}`);
}

function randomNonce(): string {
  return String(randomInt(1_000_000_000, 10_000_000_000));
}
