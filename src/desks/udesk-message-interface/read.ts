import type { z } from "zod";
import { DecodeError } from "../../domain/errors.ts";

/** Narrows to an object whose fields may be anything; reading a field by a name of ours is then safe. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * What the schema makes of the value.
 * @throws DecodeError MESSAGE_INVALID whose reason names the field and what was expected there, never the value
 */
export function read<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new DecodeError("MESSAGE_INVALID", `${[name, ...(issue?.path ?? [])].map(String).join(".")}: ${issue?.message}`);
}

/** The text without what no database column can hold: NUL is left out, half a surrogate pair becomes U+FFFD. */
export function toStorableText(text: string): string {
  return text.replaceAll("\0", "").replace(/\p{Surrogate}/gu, "\uFFFD");
}
