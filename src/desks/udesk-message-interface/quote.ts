import type { HttpAnswer } from "../../base/http-client.ts";
import { decodeText } from "../../base/read-json.ts";
import { toQuotable } from "../../base/redact.ts";
import { toStorableText } from "./read.ts";

/** Of a page the title, which names it best. */
const CHARACTERS_MAX = 200;
const READ_MAX = 4_000;

/**
 * The desk's own words for the operator: short, of a page its title or its text, and without key, signature, query or any long run of
 * hex that it may echo. Empty when nothing is left.
 */
export function quoteAnswer(answer: Pick<HttpAnswer, "headers" | "body">, key: string): string {
  const text = decodeText({ ...answer, body: answer.body.subarray(0, READ_MAX) });
  return quote(/^\s*</.test(text) ? toWords(text) : text, key);
}

export function quote(text: string, key: string): string {
  const safe = toQuotable(toStorableText(text.slice(0, READ_MAX)).replaceAll(key, "…"))
    .replace(/[^\s"{,]*[?&=][^\s"},]*|[0-9a-f]{8,}/gi, "…")
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
  return safe.length > CHARACTERS_MAX ? `${safe.slice(0, CHARACTERS_MAX).replace(/\p{Surrogate}$/u, "")}…` : safe;
}

function toWords(page: string): string {
  const title = /<title[^<>]*>([^<]*)/i.exec(page)?.[1]?.trim();
  return title || page.replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, " ").replace(/<[^<>]*>/g, " ");
}
