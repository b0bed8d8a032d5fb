import type { z } from "zod";
import { DecodeError } from "../../base/errors.ts";
import { toSendableText } from "../../domain/sendable-text.ts";

/** Narrows to an object whose fields may be anything; reading a field by a name of ours is then safe. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * What the schema makes of the value.
 * @throws DecodeError MESSAGE_INVALID whose reason names the field and what was expected there, never the value
 */
export function read<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const result = schema.safeParse(value, { error: toExpectation });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new DecodeError("MESSAGE_INVALID", `${[name, ...(issue?.path ?? [])].map(String).join(".")}: ${issue?.message}`);
}

/** For what a schema has no words of its own: the library's name its types, not what the sender left out. */
function toExpectation({ code, expected, input, minimum }: z.core.$ZodRawIssue): string {
  const what = code === "too_small" ? `at least ${minimum}` : (NAMES.get(expected) ?? "another value");
  return input === undefined ? `expected ${what}, and it is missing` : `expected ${what}`;
}

const NAMES: ReadonlyMap<unknown, string> = new Map([
  ["object", "an object"],
  ["array", "a list"],
  ["string", "a text"],
  ["number", "a number"],
]);

/** The text as it can be stored and sent: half a surrogate pair becomes U+FFFD, other characters that XML cannot say are left out. */
export function toStorableText(text: string): string {
  return toSendableText(text.replace(/\p{Surrogate}/gu, "\uFFFD"));
}
