import { InvalidArgumentError } from "commander";

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * `90d`, `12h`, `30m` or `45s` in milliseconds.
 * @throws InvalidArgumentError, which commander turns into a usage error that names the option
 */
export function parseDuration(text: string): number {
  const [, number, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  if (number === undefined || unitMs === undefined) throw new InvalidArgumentError("Give a number and a unit, such as 30m, 12h or 90d.");
  if (Number(number) === 0) throw new InvalidArgumentError("Give a time that is longer than nothing.");
  return Number(number) * unitMs;
}

/** A moment of the past: how long ago, or ISO 8601. */
export function parsePast(text: string): string {
  if (/^\d+[smhd]$/.test(text)) return new Date(Date.now() - parseDuration(text)).toISOString();
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) throw new InvalidArgumentError("Give how long ago, such as 2h, or a moment in ISO 8601.");
  return moment.toISOString();
}

export function parseWhole(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number.");
}
