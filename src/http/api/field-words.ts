import type { z } from "zod";

/**
 * Plain requirement for a field whose schema has no message of its own. Completes a sentence that begins with the field's name, and
 * repeats no value: it may be a secret.
 */
export const fieldWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? `is missing; it must be ${toType(issue.expected)}` : `must be ${toType(issue.expected)}`;
    case "invalid_value":
      return `must be ${toChoice(issue.values.map(String))}`;
    case "too_small":
      return toBound(issue.origin, "at least", Number(issue.minimum));
    case "too_big":
      return toBound(issue.origin, "at most", Number(issue.maximum));
    case "invalid_format":
      return FORMATS[issue.format];
    case "unrecognized_keys":
      return "is not a known field";
    default:
      return undefined;
  }
};

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "a list",
};

const FORMATS: Readonly<Record<string, string>> = {
  datetime: "must be a moment in ISO 8601 with its time zone, such as 2026-01-31T02:03:04Z",
  email: "must be an e-mail address",
};

function toType(expected: string): string {
  return TYPES[expected] ?? expected;
}

function toChoice(values: readonly string[]): string {
  const [last = "", ...before] = [...values].reverse();
  return before.length === 0 ? last : `${before.reverse().join(", ")} or ${last}`;
}

function toBound(origin: string, bound: string, limit: number): string {
  if (origin === "string") return limit === 1 && bound === "at least" ? "must not be empty" : `must have ${bound} ${limit} characters`;
  if (origin === "array") return `must have ${bound} ${limit} entries`;
  return `must be ${bound} ${limit}`;
}
