import { createHash } from "node:crypto";
import type { Message } from "../../domain/message.ts";

const UINT64_MAX = 2n ** 64n - 1n;

/**
 * The decimal number by which the desk can tell a repetition: WeChat's own where it gave one, else (events have none) one made from
 * our message id, below 2^63 so that it fits a signed column too.
 */
export function toMsgId({ id, vendorMessageId }: Pick<Message, "id" | "vendorMessageId">): string {
  if (vendorMessageId !== null && isUint64(vendorMessageId)) return vendorMessageId;
  const number = createHash("sha256").update(id).digest().readBigUInt64BE();
  return BigInt.asUintN(63, number).toString();
}

function isUint64(text: string): boolean {
  return /^\d{1,20}$/.test(text) && BigInt(text) <= UINT64_MAX;
}
