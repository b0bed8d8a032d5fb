import { DecodeError } from "../base/errors.ts";
import type { Credential } from "../domain/credential.ts";
import { createDecrypt, type Decrypt, decodeAesKey } from "./cipher.ts";
import { verifySignature } from "./signature.ts";

/**
 * What the callbacks of one account may be signed and encrypted with. The two are rotated each by itself, and WeChat's console changes
 * at another moment than we do, so any valid token may come with any valid key.
 */
export interface CallbackCredentials {
  token: readonly Credential[];
  encodingAesKey: readonly Credential[];
}

/** The token that made this signature together with the other parts; null when none of these did. */
export function findSigner(tokens: readonly string[], parts: readonly string[], signature: string): string | null {
  return tokens.find((token) => verifySignature([token, ...parts], signature)) ?? null;
}

/**
 * Opens callbacks for one receiver with the keys that count at the moment, and says which key it was. A wrong key leaves a wrong padding
 * or length behind; less than once in a billion by chance it does not. So a key that opens one for another receiver is the right one,
 * and no other is tried.
 * @throws DecodeError CIPHERTEXT_INVALID, of the first key, when none of them opens it
 * @throws VerificationError RECEIVER_MISMATCH
 */
export function createDecryptWithAny(receiverId: string) {
  const decrypts = new Map<string, Decrypt>();

  return (ciphertext: string, encodingAesKeys: readonly string[]) => {
    const refusals: DecodeError[] = [];
    for (const encodingAesKey of encodingAesKeys) {
      try {
        return { message: decryptFor(encodingAesKey)(ciphertext, receiverId), encodingAesKey };
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        refusals.push(error);
      }
    }
    const missing =
      "the callback is encrypted, but the account has no encodingAesKey; set the one in WeChat's console, or choose plain mode there";
    throw refusals[0] ?? new DecodeError("CIPHERTEXT_INVALID", missing);
  };

  function decryptFor(encodingAesKey: string): Decrypt {
    const known = decrypts.get(encodingAesKey);
    if (known) return known;
    const made = createDecrypt(decodeAesKey(encodingAesKey));
    decrypts.set(encodingAesKey, made);
    return made;
  }
}
