import type { PassiveChannel, UploadChannel } from "../../domain/channel.ts";
import { decodeAesKey } from "../../wechat/cipher.ts";
import { sealEnvelope, toSeal } from "../../wechat/envelope.ts";
import { canRenderPassively, renderPassiveReply } from "../../wechat/passive-reply.ts";
import { createCallback } from "./callback.ts";
import { createChecks } from "./checks.ts";
import { createClient } from "./client.ts";
import type { WecomDeps } from "./deps.ts";
import { createUpload } from "./media.ts";
import { ARTICLES_MAX, canRenderMessage, TEXT_BYTES_MAX } from "./render-message.ts";

/**
 * The entrance of one WeCom app.
 * @throws DecodeError when the encodingAesKey is not one
 */
export function createWecom(deps: WecomDeps): PassiveChannel & UploadChannel {
  const { account, credentials, now } = deps;
  for (const { value } of credentials.encodingAesKey) decodeAesKey(value);

  return {
    ...createCallback(deps),
    ...createClient(deps),
    ...createUpload(deps),
    ...createChecks(deps),
    acknowledgement: "",
    asyncTextBytesMax: TEXT_BYTES_MAX,
    passiveTextBytesMax: TEXT_BYTES_MAX,
    replyAllowance: () => null,
    canSend: canRenderMessage,
    canRender: (content) => canRenderPassively(content, ARTICLES_MAX),

    renderReply({ openId, accountName, credential }, content, createdAt) {
      const reply = renderPassiveReply({ openId, accountName }, content, createdAt);
      // No callback of WeCom is plain, so nothing ever asks for a plain reply.
      const body = credential === null ? reply : sealEnvelope(reply, toSeal(credential, account.wechat.corpId, now()));
      return { contentType: "application/xml; charset=utf-8", body };
    },
  };
}
