import type { CheckResult } from "./check.ts";

/** How far our clock is ahead of somebody else's; null when they told no time. */
export interface ClockReading {
  whose: "WeChat" | "the desk";
  offsetMs: number | null;
}

/** An answer's Date has whole seconds and travels for a while; this is far beyond both. */
const NOTICED_MS = 30_000;

/**
 * Whether our clock is right, measured by WeChat's. From half of the tolerance on callbacks are about to be refused; what is less,
 * or only the desk's, is worth a look.
 * @param toleranceSeconds how far off a callback's timestamp may be; 0 when that is not looked at
 */
export function judgeClock(readings: readonly ClockReading[], toleranceSeconds: number): CheckResult {
  const known = readings.filter((reading): reading is ClockReading & { offsetMs: number } => reading.offsetMs !== null);
  if (known.length === 0) return { ok: true, sentence: "not compared: neither WeChat nor the desk told the time" };

  const sentence = `this machine's clock is ${known.map(toWords).join(" and ")}`;
  const off = known.filter(({ offsetMs }) => Math.abs(offsetMs) > NOTICED_MS);
  if (off.length === 0) return { ok: true, sentence };
  if (off.every(({ whose }) => whose === "the desk")) {
    const why = "the desk may refuse signatures whose timestamp is too far off";
    const remedy = known.length > 1 ? "ask who runs the desk to set its clock by NTP" : SET_THE_CLOCK;
    return { ok: true, sentence, why, remedy };
  }
  const worstMs = Math.max(...off.filter(({ whose }) => whose === "WeChat").map(({ offsetMs }) => Math.abs(offsetMs)));
  const isNear = toleranceSeconds > 0 && worstMs > (toleranceSeconds * 1_000) / 2;
  const why = `callbacks whose timestamp is more than ${toleranceSeconds} s off are refused, and the customer hears nothing`;
  return { ok: !isNear, sentence, ...(toleranceSeconds > 0 && { why }), remedy: SET_THE_CLOCK };
}

const SET_THE_CLOCK = "set this machine's clock by NTP (timedatectl set-ntp true)";

function toWords({ whose, offsetMs }: { whose: string; offsetMs: number }): string {
  const seconds = Math.round(Math.abs(offsetMs) / 1_000);
  if (seconds <= 1) return `as ${whose}'s`;
  return `${seconds} s ${offsetMs > 0 ? "ahead of" : "behind"} ${whose}'s`;
}
