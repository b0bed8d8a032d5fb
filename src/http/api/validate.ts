import type { FastifySchemaCompiler } from "fastify";
import type { z } from "zod";
import { type FieldError, Problem } from "../problem.ts";
import { fieldWords } from "./field-words.ts";

const PARTS: Readonly<Record<string, FieldError["in"]>> = { body: "body", querystring: "query", params: "path", headers: "header" };

/** Fastify's validator: the schema's verdict, as a problem that points at every wrong field. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart = "body" }) => {
  const part = PARTS[httpPart] ?? "body";
  return (data: unknown) => {
    const unstorable = findUnstorable(data, part, []);
    if (unstorable.length > 0) return { error: validationFailed(unstorable) };
    const result = schema.safeParse(data, { error: fieldWords });
    return result.success ? { value: result.data } : { error: validationFailed(toFieldErrors(result.error, part)) };
  };
};

export function validationFailed(errors: FieldError[]): Problem {
  return new Problem("VALIDATION_FAILED", "mend what is named in errors and send the request again", { errors });
}

/** The messages say what is expected and never repeat what was given, which may be a secret. */
export function toFieldErrors(error: z.ZodError, part: FieldError["in"]): FieldError[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return { in: part, pointer: toPointer(issue.path), detail: issue.message };
    return issue.keys.map((key) => ({ in: part, pointer: toPointer([...issue.path, key]), detail: "is not a known field" }));
  });
}

/** RFC 6901, section 6: a fragment with `~` and `/` escaped, and whatever a URI cannot hold percent-encoded. */
function toPointer(path: readonly PropertyKey[]): string {
  const escaped = path.map((key) => String(key).replaceAll("~", "~0").replaceAll("/", "~1").replace(UNPAIRED_SURROGATE, "\ufffd"));
  return ["#", ...escaped.map(encodeURIComponent)].join("/");
}

/** No document of ours has half as many levels; a body of many thousands would exhaust the stack. */
const DEPTH_MAX = 16;

/** Postgres stores neither NUL nor half of a surrogate pair: such text is refused here, wherever in the request it stands. */
function findUnstorable(value: unknown, part: FieldError["in"], path: readonly PropertyKey[]): FieldError[] {
  if (typeof value === "string") {
    if (!value.includes("\0") && value.search(UNPAIRED_SURROGATE) === -1) return [];
    return [{ in: part, pointer: toPointer(path), detail: "must not hold NUL or an unpaired surrogate" }];
  }
  if (typeof value !== "object" || value === null) return [];
  if (path.length === DEPTH_MAX) return [{ in: part, pointer: toPointer(path), detail: "is nested too deep" }];
  return Object.entries(value).flatMap(([key, child]) => findUnstorable(child, part, [...path, key]));
}

/** With the flag `u` a pair counts as one character, so that only a half matches. */
const UNPAIRED_SURROGATE = /\p{Surrogate}/gu;
