import { UsageError } from "./failure.ts";

/** An account's document while it is being put together: what is known so far, in the API's form. */
export type Draft = Record<string, unknown>;

/** The field at a path such as `wechat.appId`; undefined when it is not there. */
export function pick(draft: Draft, path: string): unknown {
  const [part = "", rest] = split(path);
  const value = draft[part];
  return rest === undefined ? value : isObject(value) ? pick(value, rest) : undefined;
}

/** Sets one field, making what it stands in; `undefined` leaves everything as it is. */
export function put(draft: Draft, path: string, value: unknown): void {
  if (value === undefined) return;
  const [part = "", rest] = split(path);
  if (rest === undefined) {
    draft[part] = value;
    return;
  }
  const inner = draft[part] ?? {};
  if (!isObject(inner)) throw new UsageError(`${part} must be an object, { … }, as in the document of POST /api/v1/accounts`);
  const copy = { ...inner };
  put(copy, rest, value);
  draft[part] = copy;
}

function split(path: string): [part: string | undefined, rest: string | undefined] {
  const [part, ...rest] = path.split(".");
  return [part, rest.length === 0 ? undefined : rest.join(".")];
}

function isObject(value: unknown): value is Draft {
  return typeof value === "object" && value !== null;
}
