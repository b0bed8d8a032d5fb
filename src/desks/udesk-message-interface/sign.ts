import { createHash, timingSafeEqual } from "node:crypto";

/** Who the customer is, as Udesk is told. Either may be empty. */
export interface Identity {
  number: string;
  email: string;
}

export interface StampedIdentity extends Identity {
  timestamp: string;
}

/** Udesk's signature: it covers who and when, but neither the body nor a nonce. The values are hashed raw, the key stands bare at the end. */
export function signIdentity({ number, email, timestamp }: StampedIdentity, key: string): string {
  return createHash("md5").update(`number=${number}&email=${email}&timestamp=${timestamp}&${key}`).digest("hex").toUpperCase();
}

/** Takes hex in either case; compares in constant time. */
export function verifySign(sign: string, identity: StampedIdentity, key: string): boolean {
  // Buffer.from stops silently at the first character that is not hex, so the shape is checked before.
  if (!/^[0-9a-f]{32}$/i.test(sign)) return false;
  return timingSafeEqual(Buffer.from(sign, "hex"), Buffer.from(signIdentity(identity, key), "hex"));
}

/** The query that every request to the desk carries. Nothing in it needs escaping: see `toIdentity`; `@` has to stay as it is. */
export function toSignedQuery({ number, email }: Identity, key: string, now: Date): string {
  const timestamp = toDeskTimestamp(now);
  const sign = signIdentity({ number, email, timestamp }, key);
  return `number=${number}&email=${email}&timestamp=${timestamp}&sign=${sign}`;
}

const BEIJING_OFFSET_MS = 8 * 60 * 60_000;

/** yyyyMMddHHmmss, Beijing time (no daylight saving). */
export function toDeskTimestamp(date: Date): string {
  const beijing = new Date(date.getTime() + BEIJING_OFFSET_MS);
  return beijing.toISOString().replace(/\D/g, "").slice(0, 14);
}
