import type { HttpAnswer } from "./http-client.ts";

/** How far our clock is ahead of the answering server's, by the answer's Date header; null without a readable one. */
export function readClockOffsetMs({ headers }: Pick<HttpAnswer, "headers">, now: Date): number | null {
  const theirs = Date.parse(headers.date ?? "");
  return Number.isNaN(theirs) ? null : now.getTime() - theirs;
}
