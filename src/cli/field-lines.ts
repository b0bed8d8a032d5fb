/** How the command names the fields of its request: by their options. Paths have dots; a list's entries go by the name of the list. */
export type FieldNames = Readonly<Record<string, string>>;

/** The request as sent, and the names that the command gives its fields. */
export interface SentFields {
  body?: unknown;
  query?: Readonly<Record<string, string | number | undefined>> | undefined;
  names?: FieldNames;
}

interface FieldError {
  in: string;
  pointer: string;
  detail: string;
}

/** One line for each wrong field: its option (or its path in the document), the value that was given, and what it has to be. */
export function toFieldLines(errors: readonly FieldError[], { body, query, names = {} }: SentFields): string[] {
  return errors.map(({ in: part, pointer, detail }) => {
    const path = toPath(pointer);
    const [name, value] = [toName(path, names), toShownValue(path, part === "query" ? query : body)];
    const reason = detail === UNKNOWN && name.startsWith("--") ? "does not belong to this kind of account" : detail;
    return `\n  - ${[name, value, reason].filter((text) => text !== "").join(" ")}`;
  });
}

/** Of an option, which the command does know. */
const UNKNOWN = "is not a known field";

function toPath(pointer: string): string[] {
  const parts = pointer.replace(/^#\/?/, "").split("/");
  return parts.filter((part) => part !== "").map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"));
}

function toName(path: readonly string[], names: FieldNames): string {
  return names[path.join(".")] ?? names[path.filter((part) => !/^\d+$/.test(part)).join(".")] ?? path.join(".");
}

/** The fields whose value is shown. Secrets are not, nor addresses, which may hold a password, nor unknown fields: one may be a misspelt secret. */
const SHOWN: ReadonlySet<string> = new Set([
  ...["id", "kind", "name", "appId", "corpId", "agentId", "encryption", "timestampToleranceSeconds"],
  ...["protocol", "timeoutMs", "identity", "requireSign", "types", "async", "notices", "passiveWaitMs"],
  ...["role", "accountIds", "expiresAt", "accountId", "status", "agentName", "q", "updatedSince", "limit", "cursor"],
  ...["state", "since", "until", "overlapSeconds"],
]);
const VALUE_CHARACTERS_MAX = 60;

function toShownValue(path: readonly string[], sent: unknown): string {
  // A list's entries and the types of messages are one level below their name.
  if (!path.slice(-2).some((part) => SHOWN.has(part))) return "";
  const value = path.reduce<unknown>((inner, part) => (isIndexable(inner) ? inner[part] : undefined), sent);
  if (value === undefined || (typeof value === "object" && value !== null)) return "";
  const text = JSON.stringify(value);
  return text.length <= VALUE_CHARACTERS_MAX ? text : `${text.slice(0, VALUE_CHARACTERS_MAX)}…`;
}

function isIndexable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
