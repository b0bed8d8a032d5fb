import type { Span } from "./books.ts";

const LAUNCHED = "chaos.launched";

/** Written into a replica's log before each start: the moments that follow are of a clock that is so far off. */
export function toLaunchLine(clockMs: number): string {
  // A kill may have cut the line before.
  return `\n${JSON.stringify({ msg: LAUNCHED, clockMs })}\n`;
}

/** The lines that a gateway writes when its database goes away under it; all of them name a statement that failed. */
const OF_THE_DATABASE: ReadonlySet<string> = new Set([
  "callback.failed",
  "push.failed",
  "delivery.failed",
  "delivery.poll-failed",
  "reply.lost",
  "reply.unconfirmed",
  "callback.without-reply",
  "gateway.stop-failed",
]);

/** A start takes some seconds, and says nothing between its first line and its last. */
const START_MS_MAX = 10_000;

/**
 * What has no place in a replica's log: a line that is not JSON and not one of the start, a stack outside a logged error, and an
 * error that no absence of the database explains. A start that loses its database ends with whatever it met, and a process that has
 * just started may be too slow for what comes at once.
 */
export function findTrouble(log: string, troubles: readonly Span[]): string[] {
  let isStarting = true;
  let lastTime = 0;
  let startedAt = 0;
  let clockMs = 0;
  const isAway = (time: number, earlyMs = 0) => troubles.some(({ from, to }) => time >= from - earlyMs && time <= to);
  return log.split("\n").filter((line) => {
    if (line === "") return false;
    if (!line.startsWith("{")) return !START_LINES.test(line) && !(isStarting && isAway(lastTime, START_MS_MAX));
    const { level, time: shownTime, msg, isLate, clockMs: launchedWith } = readLine(line);
    if (msg === LAUNCHED) clockMs = launchedWith;
    const time = shownTime - clockMs;
    if (msg === "gateway.starting") [isStarting, startedAt] = [true, time];
    if (msg === "gateway.started") [isStarting, startedAt] = [false, time];
    lastTime = time || lastTime;
    const isExplained = isAway(time) || (isLate && time <= startedAt + START_MS_MAX);
    return (level === "error" || level === "fatal") && !(OF_THE_DATABASE.has(msg) && isExplained);
  });
}

/** Work that was under way when the database went away may say so that much later: its own time limits have to end first. */
const LATE_LINES_MS = 35_000;

/** All that a process had under way when it stopped, and all that was sent to it since, is too late when it moves again. */
const LATE_AFTER_STANDSTILL_MS = 10_000;

/** When a replica's log may speak of a database that did not answer. One that stood still notices when it moves again. */
export function toTroubles(databaseAway: readonly Span[], standstills: readonly Span[]): Span[] {
  const away = databaseAway.map(({ from, to }) => {
    const late = standstills.filter((span) => span.from <= to + LATE_LINES_MS && from <= span.to).map((span) => span.to);
    return { from, to: Math.max(to, ...late) + LATE_LINES_MS };
  });
  return [...away, ...standstills.map(({ to }) => ({ from: to, to: to + LATE_AFTER_STANDSTILL_MS }))];
}

/** Tries whose claim had passed to another process by the time they ended. */
export function countOvertaken(logs: readonly string[]): number {
  return logs.join("\n").split(/"outcome":"overtaken"/).length - 1;
}

const START_LINES = /^(wxdesk listens on |DATABASE_UNREACHABLE: )/;

interface Line {
  level: string;
  time: number;
  msg: string;
  /** It tells of something that was not done in time. */
  isLate: boolean;
  clockMs: number;
}

function readLine(line: string): Line {
  try {
    const { level = "", time = "", msg = "", error, clockMs = 0 } = JSON.parse(line) as Partial<WrittenLine>;
    return { level, time: Date.parse(time), msg, isLate: error?.type === "TooLateError", clockMs };
  } catch {
    // A line that a kill cut in half is no trouble.
    return { level: "", time: Number.NaN, msg: "", isLate: false, clockMs: 0 };
  }
}

interface WrittenLine {
  level: string;
  time: string;
  msg: string;
  error: { type?: string };
  clockMs: number;
}
