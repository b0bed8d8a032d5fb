import type { CallbackRequest, Channel } from "../../domain/channel.ts";
import { validAt } from "../../domain/credential.ts";
import { VerificationError } from "../../domain/errors.ts";
import { checkTimestamp, parameter } from "../../wechat/callback-query.ts";
import { createDecryptWithAny, findSigner } from "../../wechat/credentials.ts";
import { readEncrypted } from "../../wechat/envelope.ts";
import { normalizeMessage } from "../../wechat/normalize.ts";
import { parseXml } from "../../wechat/xml.ts";
import type { WecomDeps } from "./deps.ts";

type Query = CallbackRequest["query"];

/** Verifies and opens what WeCom posts; all of it is encrypted. */
export function createCallback({ account, credentials, now }: WecomDeps): Pick<Channel, "verifyUrl" | "open"> {
  const { corpId, timestampToleranceSeconds } = account.wechat;
  const decryptWithAny = createDecryptWithAny(corpId);

  return {
    verifyUrl(query) {
      // A proxy that decodes the query once more turns the plus signs of base64 into blanks.
      const ciphertext = parameter(query, "echostr").replaceAll(" ", "+");
      verifySigner(query, ciphertext);
      return decipher(ciphertext).message;
    },

    open({ query, body }) {
      parameter(query, "msg_signature");
      const ciphertext = readEncrypted(parseXml(body));
      const token = verifySigner(query, ciphertext);
      const { message: xml, encodingAesKey } = decipher(ciphertext);
      const normalized = normalizeMessage(parseXml(xml));
      if (normalized.kind === "bookkeeping") return normalized;
      const { message, accountName } = normalized;
      return { kind: "message", message, replyTo: { openId: message.openId, accountName, credential: { token, encodingAesKey } } };
    },
  };

  function decipher(ciphertext: string) {
    return decryptWithAny(ciphertext, validAt(credentials.encodingAesKey, now()));
  }

  function verifySigner(query: Query, ciphertext: string): string {
    const signature = parameter(query, "msg_signature");
    const timestamp = parameter(query, "timestamp");
    const token = findSigner(validAt(credentials.token, now()), [timestamp, parameter(query, "nonce"), ciphertext], signature);
    if (token === null) {
      throw new VerificationError("SIGNATURE_INVALID", "msg_signature is wrong; set the account's token to the one in WeCom's console");
    }
    checkTimestamp(timestamp, timestampToleranceSeconds, now());
    return token;
  }
}
