import { VerificationError } from "../base/errors.ts";

export type CallbackQuery = Readonly<Record<string, string | string[] | undefined>>;

/**
 * One parameter of a signed address.
 * @throws VerificationError when it is missing, empty or repeated: then nothing can have been signed
 */
export function parameter(query: CallbackQuery, name: string): string {
  const value = query[name];
  if (typeof value === "string" && value !== "") return value;
  throw new VerificationError("SIGNATURE_INVALID", `query parameter ${name} is missing, empty or repeated`);
}

/** The signature parameters of a signed address. */
export interface SignedQuery {
  signature: string;
  timestamp: string;
  nonce: string;
}

/**
 * All that the query alone can be refused for: checked before a body is looked at, which anybody can send.
 * @throws VerificationError SIGNATURE_INVALID when a parameter is missing or the signature is none
 */
export function readSignedQuery(query: CallbackQuery, name: "signature" | "msg_signature"): SignedQuery {
  const signed = { signature: parameter(query, name), timestamp: parameter(query, "timestamp"), nonce: parameter(query, "nonce") };
  if (/^[0-9a-f]{40}$/.test(signed.signature)) return signed;
  throw new VerificationError("SIGNATURE_INVALID", `${name} is not the 40 hexadecimal digits of a signature`);
}

/**
 * Refuses a signature that was made too long ago or too far ahead, so that a recorded callback cannot be played again for ever.
 * @param toleranceSeconds 0 switches the check off
 * @throws VerificationError TIMESTAMP_STALE
 */
export function checkTimestamp(timestamp: string, toleranceSeconds: number, now: Date): void {
  if (toleranceSeconds === 0) return;
  const offSeconds = Math.abs(now.getTime() / 1_000 - Number(timestamp));
  // Written so that a timestamp which is no number is refused as well.
  if (offSeconds <= toleranceSeconds) return;
  throw new VerificationError("TIMESTAMP_STALE", `timestamp is more than ${toleranceSeconds} s off; set this machine's clock by NTP`);
}
