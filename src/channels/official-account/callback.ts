import { VerificationError } from "../../base/errors.ts";
import type { CallbackCredential, CallbackRequest, Channel, OpenedCallback } from "../../domain/channel.ts";
import { validAt } from "../../domain/credential.ts";
import { checkTimestamp, parameter, readSignedQuery, type SignedQuery } from "../../wechat/callback-query.ts";
import { createDecryptWithAny, findSigner } from "../../wechat/credentials.ts";
import { readEncrypted } from "../../wechat/envelope.ts";
import { normalizeMessage } from "../../wechat/normalize.ts";
import { child, parseXml, type XmlElement } from "../../wechat/xml.ts";
import type { OfficialAccountDeps } from "./deps.ts";

type Query = CallbackRequest["query"];

/** Verifies and opens what WeChat posts. */
export function createCallback({ account, credentials, now }: OfficialAccountDeps): Pick<Channel, "verifyUrl" | "open"> {
  const { appId, encryption, timestampToleranceSeconds } = account.wechat;
  const decryptWithAny = createDecryptWithAny(appId);

  return {
    // Signed with the plain signature and answered as received in every mode, safe mode included.
    verifyUrl(query) {
      verifyPlain(query);
      return parameter(query, "echostr");
    },

    // The console switches modes without notice, so each request says how it came; only a safe account insists.
    open(request) {
      return isEncrypted(request.query) ? openEncrypted(request) : openPlain(request);
    },
  };

  /** Only msg_signature counts here: `signature` does not cover the body, nor do the outer fields of compatible mode have one. */
  function openEncrypted({ query, body }: CallbackRequest): OpenedCallback {
    const signed = readSignedQuery(query, "msg_signature");
    checkTimestamp(signed.timestamp, timestampToleranceSeconds, now());
    const ciphertext = readEncrypted(body);
    const token = verifySigner("msg_signature", signed, ciphertext);
    const { message, encodingAesKey } = decryptWithAny(ciphertext, validAt(credentials.encodingAesKey, now()));
    return toOpened(parseXml(message), { token, encodingAesKey });
  }

  function openPlain({ query, body }: CallbackRequest): OpenedCallback {
    verifyPlain(query);
    if (encryption === "safe") {
      throw new VerificationError(
        "ENCRYPTION_REQUIRED",
        "plain callback for a safe account; choose safe mode in WeChat's console, or set the account's encryption to plain",
      );
    }
    const root = parseXml(body);
    // Someone took encrypt_type off the address, so that the unsigned fields beside Encrypt would be believed.
    if (child(root, "Encrypt")) throw new VerificationError("ENCRYPTION_REQUIRED", "encrypted body in a callback that says it is plain");
    return toOpened(root, null);
  }

  /** `signature` covers nothing but the query. */
  function verifyPlain(query: Query): void {
    const signed = readSignedQuery(query, "signature");
    verifySigner("signature", signed);
    checkTimestamp(signed.timestamp, timestampToleranceSeconds, now());
  }

  function verifySigner(name: "signature" | "msg_signature", { signature, timestamp, nonce }: SignedQuery, ...covered: string[]): string {
    const token = findSigner(validAt(credentials.token, now()), [timestamp, nonce, ...covered], signature);
    if (token !== null) return token;
    throw new VerificationError("SIGNATURE_INVALID", `${name} is wrong; set the account's token to the one in WeChat's console`);
  }
}

function isEncrypted({ encrypt_type: type }: Query): boolean {
  if (type === undefined || type === "raw") return false;
  if (type === "aes") return true;
  throw new VerificationError("SIGNATURE_INVALID", "encrypt_type is neither raw nor aes");
}

function toOpened(root: XmlElement, credential: CallbackCredential | null): OpenedCallback {
  const normalized = normalizeMessage(root);
  if (normalized.kind === "bookkeeping") return normalized;
  const { message, accountName } = normalized;
  return { kind: "message", message, replyTo: { openId: message.openId, accountName, credential } };
}
