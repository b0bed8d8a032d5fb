import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { ConfigError } from "../base/errors.ts";
import type { SealedSecret, SecretBox, SecretContext } from "../domain/secret-box.ts";

const CIPHER = "aes-256-gcm";
// GCM's own sizes. Random nonces of 12 bytes stay safe for 2^32 seals under one key (NIST SP 800-38D, 8.3); secrets are few.
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface MasterKeys {
  /** 32 bytes; seals, and opens what it sealed. */
  current: Buffer;
  /** Only open: what is left from before a rotation, or comes with the next one. */
  others?: readonly Buffer[];
}

/** AES-256-GCM under the master key. A sealed secret is nonce, tag and ciphertext, in this order. */
export function createSecretBox({ current, others = [] }: MasterKeys): SecretBox {
  const keyId = toKeyId(current);
  const keys = new Map([current, ...others].map((key) => [toKeyId(key), key]));
  return {
    keyId,
    canOpen: (id) => keys.has(id),
    seal: (plaintext, context) => ({ ciphertext: seal(current, plaintext, context), keyId }),
    open: (sealed, context) => {
      const key = keys.get(sealed.keyId);
      if (!key) throw unknownKey(sealed.keyId, context);
      return open(key, sealed, context);
    },
  };
}

function seal(key: Buffer, plaintext: string, context: SecretContext): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(associatedData(context));
  const encrypted = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final()]);
  return new Uint8Array([...nonce, ...cipher.getAuthTag(), ...encrypted]);
}

function open(key: Buffer, { ciphertext }: SealedSecret, context: SecretContext): string {
  const nonce = ciphertext.subarray(0, NONCE_BYTES);
  const tag = ciphertext.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const encrypted = ciphertext.subarray(NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(associatedData(context)).setAuthTag(tag);
    return Buffer.concat([decipher.update(encrypted), decipher.final()]).toString("utf8");
  } catch (cause) {
    const text = `the stored ${context.field} of account "${context.accountId}" was changed outside the gateway; set it anew`;
    throw new ConfigError("CIPHERTEXT_INVALID", text, { cause });
  }
}

/** JSON keeps the parts apart: no other account and field can spell the same bytes. */
function associatedData({ accountId, field }: SecretContext): Buffer {
  return Buffer.from(JSON.stringify(["wxdesk secret", accountId, field]));
}

/** The prefix keeps this hash apart from any other use of the key. */
function toKeyId(key: Buffer): string {
  return createHash("sha256").update("wxdesk master key id\0").update(key).digest("hex").slice(0, 8);
}

function unknownKey(keyId: string, { accountId, field }: SecretContext): ConfigError {
  return new ConfigError(
    "MASTER_KEY_WRONG",
    `the ${field} of account "${accountId}" was encrypted with master key ${keyId}, which is not at hand; ` +
      "start with that key in WXDESK_MASTER_KEY, or in WXDESK_MASTER_KEY_PREVIOUS during a rotation",
  );
}
