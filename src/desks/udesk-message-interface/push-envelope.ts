import { z } from "zod";
import { toStorableText } from "./read.ts";
import { written } from "./words.ts";

/** A contact's name on its channel: an openid or a WeCom userid. */
export const openIdSchema = written.pipe(z.string().regex(/^[^\s\p{Cc}\p{Cs}]{1,128}$/u, "expected 1 to 128 characters without blanks"));

/** A type in lower case, since programs write `Text` too; "" for a value that is not a text. */
export function toTypeName(value: unknown): string {
  return typeof value === "string" ? value.trim().toLowerCase() : "";
}

const PUSH_ID_NAMES = ["message_id", "MsgId", "msgid", "id"];
const PUSH_ID_LENGTH_MAX = 128;

/** The desk's id of a message. What cannot tell two messages apart is none: then the content has to. */
export function readPushId(fields: Record<string, unknown>): string | null {
  const ids = PUSH_ID_NAMES.map((name) => toPushId(fields[name]));
  return ids.find((id) => id !== "" && id !== "0" && id.length <= PUSH_ID_LENGTH_MAX) ?? null;
}

function toPushId(value: unknown): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? toStorableText(value.trim()) : "";
}
