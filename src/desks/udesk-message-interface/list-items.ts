import { isRecord } from "./read.ts";

/**
 * The items of a list however it is written: as a list, as one item without a list, or as an object whose values are the items. The
 * last is what PHP makes of an array with gaps, and what a form with names for its items stands for (`messages[m1][type]`).
 */
export function toItems(value: unknown): unknown[] {
  return [value].flat().flatMap((item) => (isKeyed(item) ? Object.values(item) : [item]));
}

/** A single message may hold nothing but objects too; its `type` or `data` tells. */
function isKeyed(item: unknown): item is Record<string, unknown> {
  if (!isRecord(item) || Object.hasOwn(item, "type") || Object.hasOwn(item, "data")) return false;
  const values = Object.values(item);
  return values.length > 0 && values.every(isRecord);
}
