/** Longer pauses are cut: a conversation that stands still for a day because of one header looks like a fault of the gateway. */
const PAUSE_MS_MAX = 60 * 60_000;

/**
 * The pause that a `Retry-After` header asks for, at most an hour: a number of seconds or an HTTP date in any of its three forms
 * (RFC 9110 §5.6.7, §10.2.3), with blanks around it. A date that has passed is no pause; null for what cannot be read, such as a negative
 * number: then the usual pauses hold.
 */
export function readRetryAfterMs(header: string | undefined, now: Date): number | null {
  const value = header?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(value)) return Math.min(Number(value) * 1_000, PAUSE_MS_MAX);
  // A date has the name of a day or a month; Date.parse alone takes "-5" for a year.
  if (!/[a-z]{3}/i.test(value)) return null;
  const pauseMs = Date.parse(ZONE.test(value) ? value : `${value} GMT`) - now.getTime();
  return Number.isNaN(pauseMs) ? null : Math.min(Math.max(pauseMs, 0), PAUSE_MS_MAX);
}

/** The form of C's asctime has none and is in UTC: "Sun Nov  6 08:49:37 1994". */
const ZONE = /(GMT|UTC|Z|[+-]\d{2}:?\d{2})$/i;
