import { hash, timingSafeEqual } from "node:crypto";

/**
 * The platforms' signature: SHA-1 over the sorted, joined parts, in lower-case hex. The parts are token, timestamp, nonce, and for
 * `msg_signature` the base64 text of Encrypt (developer.work.weixin.qq.com/document/path/90968).
 */
export function sign(parts: readonly string[]): string {
  return hash("sha1", toSorted(parts));
}

/**
 * Sorted as bytes, as the platform does. A locale would order "a" before "B" on one machine and after it on the next. Code units are in
 * the order of the bytes as long as no surrogate is among them, which spares each part to be copied.
 */
function toSorted(parts: readonly string[]): string | Buffer {
  const joined = [...parts].sort().join("");
  if (!/[\uD800-\uDFFF]/.test(joined)) return joined;
  return Buffer.concat(parts.map((part) => Buffer.from(part)).sort(Buffer.compare));
}

/**
 * Whether `signature` is the signature of `parts`, compared in constant time and as text: upper case, blanks or anything else that a
 * hex decoder would swallow is refused. An empty part fails too, or a channel without a token could be signed for by anyone.
 */
export function verifySignature(parts: readonly string[], signature: string): boolean {
  if (parts.includes("")) return false;
  const expected = Buffer.from(sign(parts));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
