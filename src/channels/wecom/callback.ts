import { VerificationError } from "../../base/errors.ts";
import type { Channel } from "../../domain/channel.ts";
import { validAt } from "../../domain/credential.ts";
import { checkTimestamp, parameter, readSignedQuery, type SignedQuery } from "../../wechat/callback-query.ts";
import { createDecryptWithAny, findSigner } from "../../wechat/credentials.ts";
import { readEncrypted } from "../../wechat/envelope.ts";
import { normalizeMessage } from "../../wechat/normalize.ts";
import { parseXml } from "../../wechat/xml.ts";
import type { WecomDeps } from "./deps.ts";

/** Verifies and opens what WeCom posts; all of it is encrypted. */
export function createCallback({ account, credentials, now }: WecomDeps): Pick<Channel, "verifyUrl" | "open"> {
  const { corpId, timestampToleranceSeconds } = account.wechat;
  const decryptWithAny = createDecryptWithAny(corpId);

  return {
    verifyUrl(query) {
      // A proxy that decodes the query once more turns the plus signs of base64 into blanks.
      const ciphertext = parameter(query, "echostr").replaceAll(" ", "+");
      const signed = readSignedQuery(query, "msg_signature");
      verifySigner(signed, ciphertext);
      checkTimestamp(signed.timestamp, timestampToleranceSeconds, now());
      return decipher(ciphertext).message;
    },

    open({ query, body }) {
      const signed = readSignedQuery(query, "msg_signature");
      checkTimestamp(signed.timestamp, timestampToleranceSeconds, now());
      const ciphertext = readEncrypted(body);
      const token = verifySigner(signed, ciphertext);
      const { message: xml, encodingAesKey } = decipher(ciphertext);
      const normalized = normalizeMessage(parseXml(xml));
      if (normalized.kind === "bookkeeping") return normalized;
      const { message, accountName, agentId } = normalized;
      const replyTo = { openId: message.openId, accountName, credential: { token, encodingAesKey } };
      return { kind: "message", message, replyTo, addressedApp: toAddressedApp(agentId) };
    },
  };

  function decipher(ciphertext: string) {
    return decryptWithAny(ciphertext, validAt(credentials.encodingAesKey, now()));
  }

  function verifySigner({ signature, timestamp, nonce }: SignedQuery, ciphertext: string): string {
    const token = findSigner(validAt(credentials.token, now()), [timestamp, nonce, ciphertext], signature);
    if (token !== null) return token;
    throw new VerificationError("SIGNATURE_INVALID", "msg_signature is wrong; set the account's token to the one in WeCom's console");
  }
}

/** AgentID 0 is the whole enterprise, which events of its directory name; "001" has been seen for 1. */
function toAddressedApp(agentId: string | null): string | null {
  if (agentId === null || !/^\d{1,15}$/.test(agentId) || Number(agentId) === 0) return null;
  return String(Number(agentId));
}
