/** Where a page ended: a time and an id, opaque to the outside. */
export function writeCursor(parts: readonly [string, string]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Null when it is not one of ours, or not one of this list. */
export function readCursor(cursor: string, id: RegExp): readonly [string, string] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (!Array.isArray(parts) || parts.length !== 2) return null;
    const [at, last] = parts;
    const isOurs = typeof at === "string" && MOMENT.test(at) && !Number.isNaN(Date.parse(at)) && typeof last === "string" && id.test(last);
    return isOurs ? [at, last] : null;
  } catch {
    return null;
  }
}
