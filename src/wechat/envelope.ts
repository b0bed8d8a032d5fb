import { randomInt } from "node:crypto";
import { DecodeError } from "../base/errors.ts";
import type { CallbackCredential } from "../domain/channel.ts";
import { decodeAesKey, encrypt } from "./cipher.ts";
import { scanXml } from "./scan-xml.ts";
import { sign } from "./signature.ts";
import { cdata, childText } from "./xml.ts";
import { invalidXml } from "./xml-text.ts";

export interface Seal {
  token: string;
  key: Buffer;
  receiverId: string;
  timestampSeconds: number;
  nonce: string;
  /** 16 bytes; random when absent. */
  random?: Buffer;
}

/** An envelope has under 20 elements. Compatible mode repeats an event's fields beside Encrypt, lists of them included. */
const ELEMENTS_MAX = 500;

/**
 * The ciphertext of an encrypted callback, trimmed, as it is signed. In compatible mode plain fields stand beside it: they are
 * unsigned, so nothing else of the envelope may be believed. Any sender can post one, so it is scanned and never given to the parser.
 * @throws DecodeError CIPHERTEXT_INVALID when there is none, XML_INVALID when the envelope is in no form that a sender has been seen to
 * write, or larger than one can be
 */
export function readEncrypted(body: Buffer): string {
  // A ciphertext is ASCII. Reading the rest as UTF-8, and looking for characters that XML cannot say, would only cost time.
  const envelope = scanXml(body.toString("latin1").replace(/^\xEF\xBB\xBF/, ""), ELEMENTS_MAX);
  if (!envelope) throw invalidXml("it is not an envelope");
  const encrypted = childText(envelope, "Encrypt")?.trim();
  if (!encrypted) throw new DecodeError("CIPHERTEXT_INVALID", "the callback has no Encrypt element, or an empty one");
  return encrypted;
}

/** What a reply is sealed with: the credential of its callback, whatever the account's current one is. */
export function toSeal({ token, encodingAesKey }: CallbackCredential, receiverId: string, now: Date): Seal {
  const nonce = String(randomInt(1_000_000_000, 10_000_000_000));
  return { token, key: decodeAesKey(encodingAesKey), receiverId, timestampSeconds: Math.floor(now.getTime() / 1_000), nonce };
}

/** Encrypts and signs a reply, in the order of elements that the manual shows (developer.work.weixin.qq.com/document/path/91144). */
export function sealEnvelope(plaintext: string, { token, key, receiverId, timestampSeconds, nonce, random }: Seal): string {
  const encrypted = encrypt(plaintext, key, receiverId, random);
  const timestamp = String(timestampSeconds);
  const signature = sign([token, timestamp, nonce, encrypted]);
  return (
    `<xml><Encrypt>${cdata(encrypted)}</Encrypt><MsgSignature>${cdata(signature)}</MsgSignature>` +
    `<TimeStamp>${timestamp}</TimeStamp><Nonce>${cdata(nonce)}</Nonce></xml>`
  );
}
