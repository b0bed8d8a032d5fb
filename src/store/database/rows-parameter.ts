/**
 * Rows for `json_to_recordset`: one parameter, however many rows and columns. What Postgres takes in no text, a NUL or half of a
 * surrogate pair, becomes U+FFFD: a vendor's sentence that was cut in the middle of a character must not keep a row from being stored.
 */
export function toRowsParameter(rows: readonly object[]): string {
  return toJsonParameter(rows);
}

/** The same for one value of a `jsonb` column. */
export function toJsonParameter(value: object): string {
  const json = JSON.stringify(value);
  return NO_TEXT.test(json) ? JSON.stringify(value, toText) : json;
}

/** How `JSON.stringify` writes them. It may also find a backslash that somebody typed before such letters, which harms nothing. */
const NO_TEXT = /\\u(0000|d[89a-f])/;

function toText(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.replaceAll("\0", "\uFFFD").replace(/\p{Surrogate}/gu, "\uFFFD") : value;
}
