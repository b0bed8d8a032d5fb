import type { Span } from "./books.ts";

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
 * error that no absence of the database explains. A start that loses its database ends with whatever it met.
 */
export function findTrouble(log: string, troubles: readonly Span[]): string[] {
  let isStarting = true;
  let lastTime = 0;
  const isAway = (time: number, earlyMs = 0) => troubles.some(({ from, to }) => time >= from - earlyMs && time <= to);
  return log.split("\n").filter((line) => {
    if (line === "") return false;
    if (!line.startsWith("{")) return !START_LINES.test(line) && !(isStarting && isAway(lastTime, START_MS_MAX));
    const { level, time, msg } = readLine(line);
    if (msg === "gateway.starting") isStarting = true;
    if (msg === "gateway.started") isStarting = false;
    lastTime = time || lastTime;
    return (level === "error" || level === "fatal") && !(OF_THE_DATABASE.has(msg) && isAway(time));
  });
}

const START_LINES = /^(wxdesk listens on |DATABASE_UNREACHABLE: )/;

function readLine(line: string): { level: string; time: number; msg: string } {
  try {
    const fields = JSON.parse(line) as { level?: string; time?: string; msg?: string };
    return { level: fields.level ?? "", time: Date.parse(fields.time ?? ""), msg: fields.msg ?? "" };
  } catch {
    // A line that a kill cut in half is no trouble.
    return { level: "", time: 0, msg: "" };
  }
}
