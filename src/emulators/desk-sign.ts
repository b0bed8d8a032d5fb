import { createHash } from "node:crypto";

const BEIJING_OFFSET_MS = 8 * 60 * 60_000;
/** Udesk publishes no replay window. This one is wide enough for any clock and too narrow for a wrong time zone. */
const TIMESTAMP_TOLERANCE_MS = 10 * 60_000;

/** The query that proves a request, on both directions' addresses: number, email, timestamp, sign. */
export function signQuery(key: string, now: Date, { number = "", email = "" } = {}): Record<string, string> {
  const timestamp = toBeijingDigits(now);
  return { number, email, timestamp, sign: toSign(key, { number, email, timestamp }) };
}

/** Null when the query proves itself, else what the desk answers. */
export function findSignProblem(key: string, query: URLSearchParams, now: Date): string | null {
  const { number, email, timestamp, sign } = Object.fromEntries(query);
  if (number === undefined || email === undefined || timestamp === undefined || sign === undefined) return "请传递验证参数";
  const isProven = sign === toSign(key, { number, email, timestamp }) && isCurrent(timestamp, now);
  return isProven ? null : "sign验证不通过";
}

/** udesk.md A: this order, the key bare at the end, upper case. Test vector `301B50B00CB609836B0D52FE4AB93CC8` there. */
export function toSign(key: string, { number, email, timestamp }: { number: string; email: string; timestamp: string }): string {
  return createHash("md5").update(`number=${number}&email=${email}&timestamp=${timestamp}&${key}`).digest("hex").toUpperCase();
}

/** yyyyMMddHHmmss on a clock in Beijing, which has no summer time. */
function toBeijingDigits(date: Date): string {
  const beijing = new Date(date.getTime() + BEIJING_OFFSET_MS);
  return beijing.toISOString().replace(/\D/g, "").slice(0, 14);
}

function isCurrent(timestamp: string, now: Date): boolean {
  const iso = timestamp.replace(/^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/, "$1-$2-$3T$4:$5:$6+08:00");
  return Math.abs(Date.parse(iso) - now.getTime()) <= TIMESTAMP_TOLERANCE_MS;
}
