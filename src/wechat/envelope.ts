import { randomInt } from "node:crypto";
import { DecodeError } from "../base/errors.ts";
import type { CallbackCredential } from "../domain/channel.ts";
import { decodeAesKey, encrypt } from "./cipher.ts";
import { ENVELOPE_ELEMENTS_MAX, scanEncrypted } from "./scan-envelope.ts";
import { sign } from "./signature.ts";
import { cdata, childText, parseXml } from "./xml.ts";
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

/**
 * The ciphertext of an encrypted callback, trimmed, as it is signed. In compatible mode plain fields stand beside it: they are
 * unsigned, so nothing else of the envelope may be believed. Any sender can post one, so reading it costs little for any content.
 * @throws DecodeError CIPHERTEXT_INVALID when there is none, XML_INVALID when it is no XML or larger than an envelope can be
 */
export function readEncrypted(body: Buffer): string {
  const encrypted = scanEncrypted(body) ?? parseEncrypted(body);
  if (!encrypted) throw new DecodeError("CIPHERTEXT_INVALID", "the callback has no Encrypt element, or an empty one");
  return encrypted;
}

/** Attributes, entities and so on, as a relay might write them. The longest genuine envelope, in compatible mode, has 20 KB. */
const PARSED_BYTES_MAX = 32 * 1024;

function parseEncrypted(body: Buffer): string | undefined {
  if (body.length > PARSED_BYTES_MAX) throw invalidXml(`it is not in the platform's form and has more than ${PARSED_BYTES_MAX} bytes`);
  return childText(parseXml(body, ENVELOPE_ELEMENTS_MAX), "Encrypt")?.trim();
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
