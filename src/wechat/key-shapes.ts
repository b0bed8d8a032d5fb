const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** 43 characters carry 258 bits, two more than a key has. Consoles set them at random, and whoever decodes strictly refuses such a key. */
const SPARE_BITS = 0b11;

/**
 * The same EncodingAESKey with its two spare bits cleared, which every library decodes to the same 32 bytes; null when they are clear
 * already, or when it is no such key.
 */
export function withoutSpareBits(encodingAesKey: string): string | null {
  const last = ALPHABET.indexOf(encodingAesKey.at(-1) ?? "");
  if (encodingAesKey.length !== 43 || last === -1 || (last & SPARE_BITS) === 0) return null;
  return encodingAesKey.slice(0, -1) + ALPHABET[last & ~SPARE_BITS];
}

/** The form in which WeChat gives out AppIDs. */
export function isAppId(text: string): boolean {
  return /^wx[0-9a-f]{16}$/.test(text);
}

/** The form in which WeCom gives out company ids; old ones begin with wx. */
export function isCorpId(text: string): boolean {
  return /^w[wx][0-9a-zA-Z]{16}$/.test(text);
}
