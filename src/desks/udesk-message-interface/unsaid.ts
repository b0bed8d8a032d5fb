import { z } from "zod";
import { DecodeError } from "../../base/errors.ts";
import { isRecord } from "./read.ts";

/** The parts of a content, under any of the names that the forms have for them. */
export const PART_NAMES = ["content", "title", "description", "url", "picurl", "pic_url", "media_id", "musicurl", "articles"];

/**
 * Nothing that a contact is to see is acknowledged and then left out: fields that hold something where no reader looks refuse the push.
 * @throws DecodeError MESSAGE_INVALID with the names of these fields, which are ours
 */
export function refuseUnsaid(fields: Record<string, unknown>, names: readonly string[], remedy: string): void {
  const unsaid = names.filter((name) => Object.hasOwn(fields, name) && holdsSomething(fields[name]));
  if (unsaid.length > 0) throw new DecodeError("MESSAGE_INVALID", `push has ${unsaid.slice(0, 3).join(", ")} ${remedy}`);
}

/**
 * The same for parts beside the object that is read. A part whose value this object has too is not lost and passes.
 * @throws DecodeError MESSAGE_INVALID
 */
export function refuseBeside(fields: Record<string, unknown>, body: unknown, remedy: string): void {
  const said = isRecord(body) ? Object.values(body) : [];
  const names = PART_NAMES.filter((name) => !said.includes(fields[name]));
  refuseUnsaid(fields, names, remedy);
}

/** Fields for the parts that a content does not show, so that one which holds something is refused in its place. */
export function unshownExcept(shown: readonly string[]): Record<string, z.ZodType<unknown>> {
  return Object.fromEntries(PART_NAMES.filter((name) => !shown.includes(name)).map((name) => [name, nothing]));
}

const nothing = z
  .unknown()
  .refine((value) => !holdsSomething(value), "is not shown there; send a message of its own for it")
  .optional();

/** An object of empty fields, which some libraries send for every type there is, holds nothing. */
function holdsSomething(value: unknown): boolean {
  if (isRecord(value) || Array.isArray(value)) return Object.values(value).some((field) => !isEmpty(field));
  return !isEmpty(value);
}

/** Missing, null or a text of blanks. */
export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}
