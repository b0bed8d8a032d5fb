import { randomInt } from "node:crypto";
import type { PassiveChannel } from "../../domain/channel.ts";
import { decodeAesKey } from "../../wechat/cipher.ts";
import { sealEnvelope } from "../../wechat/envelope.ts";
import { canRenderPassively, renderPassiveReply } from "../../wechat/passive-reply.ts";
import { createCallback } from "./callback.ts";
import { createChecks } from "./checks.ts";
import { createClient } from "./client.ts";
import type { WecomDeps } from "./deps.ts";
import { ARTICLES_MAX, canRenderMessage, TEXT_BYTES_MAX } from "./render-message.ts";

/**
 * The entrance of one WeCom app.
 * @throws DecodeError when the encodingAesKey is not one
 */
export function createWecom(deps: WecomDeps): PassiveChannel {
  const { account, secrets, now } = deps;
  const aesKey = decodeAesKey(secrets.encodingAesKey);

  return {
    ...createCallback(deps, aesKey),
    ...createClient(deps),
    ...createChecks(deps),
    acknowledgement: "",
    asyncTextBytesMax: TEXT_BYTES_MAX,
    passiveTextBytesMax: TEXT_BYTES_MAX,
    replyAllowance: () => null,
    canSend: canRenderMessage,
    canRender: (content) => canRenderPassively(content, ARTICLES_MAX),

    renderReply({ openId, accountName }, content, createdAt) {
      const reply = renderPassiveReply({ openId, accountName }, content, createdAt);
      const timestampSeconds = Math.floor(now().getTime() / 1_000);
      const seal = { token: secrets.token, key: aesKey, receiverId: account.wechat.corpId, timestampSeconds, nonce: randomNonce() };
      return { contentType: "application/xml; charset=utf-8", body: sealEnvelope(reply, seal) };
    },
  };
}

function randomNonce(): string {
  return String(randomInt(1_000_000_000, 10_000_000_000));
}
