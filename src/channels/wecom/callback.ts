import type { CallbackRequest, Channel } from "../../domain/channel.ts";
import { VerificationError } from "../../domain/errors.ts";
import { checkTimestamp, parameter } from "../../wechat/callback-query.ts";
import { decrypt } from "../../wechat/cipher.ts";
import { readEncrypted } from "../../wechat/envelope.ts";
import { normalizeMessage } from "../../wechat/normalize.ts";
import { verifySignature } from "../../wechat/signature.ts";
import { parseXml } from "../../wechat/xml.ts";
import type { WecomDeps } from "./deps.ts";

type Query = CallbackRequest["query"];

/** Verifies and opens what WeCom posts; all of it is encrypted. `aesKey` is the decoded EncodingAESKey. */
export function createCallback(deps: WecomDeps, aesKey: Buffer): Pick<Channel, "verifyUrl" | "open"> {
  const { account, secrets, now } = deps;
  const { corpId, timestampToleranceSeconds } = account.wechat;

  return {
    verifyUrl(query) {
      // A proxy that decodes the query once more turns the plus signs of base64 into blanks.
      const ciphertext = parameter(query, "echostr").replaceAll(" ", "+");
      checkSignature(query, ciphertext);
      return decrypt(ciphertext, aesKey, corpId);
    },

    open({ query, body }) {
      parameter(query, "msg_signature");
      const ciphertext = readEncrypted(parseXml(body));
      checkSignature(query, ciphertext);
      const normalized = normalizeMessage(parseXml(decrypt(ciphertext, aesKey, corpId)));
      if (normalized.kind === "bookkeeping") return normalized;
      const { message, accountName } = normalized;
      return { kind: "message", message, replyTo: { openId: message.openId, accountName, encrypted: true } };
    },
  };

  function checkSignature(query: Query, ciphertext: string): void {
    const signature = parameter(query, "msg_signature");
    const timestamp = parameter(query, "timestamp");
    if (!verifySignature([secrets.token, timestamp, parameter(query, "nonce"), ciphertext], signature)) {
      throw new VerificationError("SIGNATURE_INVALID", "msg_signature is wrong; set the account's token to the one in WeCom's console");
    }
    checkTimestamp(timestamp, timestampToleranceSeconds, now());
  }
}
