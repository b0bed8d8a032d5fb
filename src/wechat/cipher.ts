import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { DecodeError, VerificationError } from "../base/errors.ts";

/*
 * The message encryption that Official Accounts and WeCom share (developer.work.weixin.qq.com/document/path/90968): AES-256-CBC, the
 * IV is the key's first half, and the plaintext is
 *
 *   16 random bytes · length of the message, 4 bytes big endian · message · receiver id · padding
 *
 * The receiver id is the appid of an Official Account, never its gh_ name, or the corp id of WeCom.
 */
const ALGORITHM = "aes-256-cbc";
const AES_BLOCK_BYTES = 16;
const RANDOM_BYTES = 16;
const HEADER_BYTES = RANDOM_BYTES + 4;
// PKCS#7, but to 32 bytes rather than to AES's 16. That is why the runtime's own padding is off in both directions.
const PADDING_BYTES_MAX = 32;

/**
 * The 32 key bytes of an EncodingAESKey: base64 without its final "=".
 * @throws DecodeError ENCODING_AES_KEY_INVALID
 */
export function decodeAesKey(encodingAesKey: string): Buffer {
  // Node's decoder swallows blanks, "-", "_" and rubbish, so the alphabet is checked here. It also ignores the two spare bits of the
  // 43rd character, which consoles do set and strict decoders refuse (github.com/Wechat-Group/WxJava/issues/1454).
  if (!/^[A-Za-z0-9+/]{43}$/.test(encodingAesKey)) {
    throw new DecodeError(
      "ENCODING_AES_KEY_INVALID",
      "an EncodingAESKey has exactly 43 letters and digits; copy it from the platform's console",
    );
  }
  return Buffer.from(encodingAesKey, "base64");
}

/** Reads what was encrypted with one key; throws what `decrypt` throws. */
export type Decrypt = (ciphertext: string, receiverId: string) => string;

/** `decrypt` for many messages of one key: what it needs of the cipher is made once, a third of the time that one message takes. */
export function createDecrypt(key: Buffer): Decrypt {
  const decipher = createDecipher(key);
  return (ciphertext, receiverId) => readPlain(unpad(decipher(decodeBase64(ciphertext))), receiverId);
}

/**
 * The message inside `ciphertext`, the base64 text of Encrypt or of a WeCom echostr. It proves no sender: check its signature first.
 * @throws DecodeError CIPHERTEXT_INVALID
 * @throws VerificationError RECEIVER_MISMATCH when it is readable but meant for another account
 */
export function decrypt(ciphertext: string, key: Buffer, receiverId: string): string {
  return createDecrypt(key)(ciphertext, receiverId);
}

/** What `decrypt` undoes, in base64. `random` is an argument so that published vectors can be repeated; it has 16 bytes. */
export function encrypt(message: string, key: Buffer, receiverId: string, random: Buffer = randomBytes(RANDOM_BYTES)): string {
  const body = Buffer.from(message);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const plain = pad(Buffer.concat([random, length, body, Buffer.from(receiverId)]));
  const cipher = createCipheriv(ALGORITHM, key, toIv(key)).setAutoPadding(false);
  return Buffer.concat([cipher.update(plain), cipher.final()]).toString("base64");
}

function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  // Node's decoder swallows what is no base64. Writing the bytes out again tells, in a tenth of the time that the expression takes; a
  // sender that sets the spare bits before the padding is no less readable.
  if (text !== "" && bytes.toString("base64") === text) return bytes;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) throw unreadable("not base64");
  return bytes;
}

function createDecipher(key: Buffer): (bytes: Buffer) => Buffer {
  const iv = toIv(key);
  const decipher = createDecipheriv(ALGORITHM, key, iv).setAutoPadding(false);
  return (bytes) => {
    if (bytes.length % AES_BLOCK_BYTES !== 0) throw unreadable("not whole AES blocks");
    // CBC undoes each block with the one before it. Reading the IV as a block makes it the one before the first of this message, whatever
    // was read earlier. Whole blocks come out at once, so that nothing is left inside.
    decipher.update(iv);
    return decipher.update(bytes);
  };
}

/** Accepts padding to 16 bytes too, which other senders use. */
function unpad(plain: Buffer): Buffer {
  const count = plain.at(-1) ?? 0;
  const end = plain.length - count;
  if (count < 1 || count > PADDING_BYTES_MAX || end < 0 || !isFilled(plain, end, count)) {
    throw unreadable("its padding is wrong, as after decryption with another key");
  }
  return plain.subarray(0, end);
}

function isFilled(bytes: Buffer, start: number, byte: number): boolean {
  for (let at = start; at < bytes.length; at++) if (bytes[at] !== byte) return false;
  return true;
}

function readPlain(plain: Buffer, receiverId: string): string {
  if (plain.length < HEADER_BYTES) throw unreadable("shorter than its header");

  const messageLength = plain.readUInt32BE(RANDOM_BYTES);
  if (messageLength > plain.length - HEADER_BYTES) throw unreadable("its message is longer than the whole");

  const messageEnd = HEADER_BYTES + messageLength;
  // The whole remainder is compared, also when the configured id is empty: some senders' own libraries compare a part or nothing.
  if (!plain.subarray(messageEnd).equals(Buffer.from(receiverId))) {
    throw new VerificationError(
      "RECEIVER_MISMATCH",
      "the callback is encrypted for another receiver; set the account's appId or corpId to the one in the platform's console",
    );
  }
  // Whole and for us, so it is genuine: a character that its sender cut in half becomes U+FFFD and loses no message.
  return plain.toString("utf8", HEADER_BYTES, messageEnd);
}

/** Adds 1 to 32 bytes; what is aligned already gets a whole block. */
function pad(plain: Buffer): Buffer {
  const count = PADDING_BYTES_MAX - (plain.length % PADDING_BYTES_MAX);
  return Buffer.concat([plain, Buffer.alloc(count, count)]);
}

function toIv(key: Buffer): Buffer {
  return key.subarray(0, AES_BLOCK_BYTES);
}

function unreadable(reason: string): DecodeError {
  return new DecodeError(
    "CIPHERTEXT_INVALID",
    `the encrypted message cannot be read (${reason}); is the account's encodingAesKey the one in the platform's console?`,
  );
}
