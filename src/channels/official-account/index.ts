import { ConfigError } from "../../base/errors.ts";
import type { PassiveChannel, ReachableChannel, UploadChannel } from "../../domain/channel.ts";
import { decodeAesKey } from "../../wechat/cipher.ts";
import { sealEnvelope, toSeal } from "../../wechat/envelope.ts";
import { canRenderPassively, renderPassiveReply } from "../../wechat/passive-reply.ts";
import { createCallback } from "./callback.ts";
import { createChecks } from "./checks.ts";
import { createClient } from "./client.ts";
import type { OfficialAccountDeps } from "./deps.ts";
import { createUpload } from "./media.ts";
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
export function createOfficialAccount(deps: OfficialAccountDeps): PassiveChannel & UploadChannel & ReachableChannel {
  const { account, now } = deps;
  requireAesKey(deps);

  return {
    ...createCallback(deps),
    ...createClient(deps),
    ...createUpload(deps),
    ...createChecks(deps),
    acknowledgement: "success",
    asyncTextBytesMax: ASYNC_TEXT_BYTES_MAX,
    passiveTextBytesMax: PASSIVE_TEXT_BYTES_MAX,
    replyAllowance,
    canSend: canRenderMessage,
    canRender: (content) => canRenderPassively(content, ARTICLES_MAX),

    renderReply({ openId, accountName, credential }, content, createdAt) {
      const reply = renderPassiveReply({ openId, accountName }, content, createdAt);
      if (credential === null) return { contentType: CONTENT_TYPE, body: reply };
      return { contentType: CONTENT_TYPE, body: sealEnvelope(reply, toSeal(credential, account.wechat.appId, now())) };
    },
  };
}

function requireAesKey({ account, credentials }: OfficialAccountDeps): void {
  for (const { value } of credentials.encodingAesKey) decodeAesKey(value);
  const { encryption } = account.wechat;
  if (credentials.encodingAesKey.length > 0 || encryption === "plain") return;
  const remedy = "set the one of WeChat's console, or its encryption to plain";
  throw new ConfigError("ACCOUNT_SECRET_MISSING", `account "${account.id}" has no encodingAesKey for ${encryption} mode; ${remedy}`);
}
