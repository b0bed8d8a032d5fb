import { isBlank } from "../../domain/sendable-text.ts";
import { toPlainText } from "./plain-text.ts";
import { toStorableText } from "./read.ts";

/** The desk's sentence for the customer as the customer is to read it: some desks write it for a web page. Null when nothing is left. */
export function toNoticeText(msg: unknown): string | null {
  if (typeof msg !== "string") return null;
  const text = toStorableText(toPlainText(msg));
  return isBlank(text) ? null : text;
}
