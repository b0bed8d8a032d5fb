import type { StatusReport } from "../../domain/conversation.ts";
import type { Submission } from "../../domain/desk.ts";
import { DONE } from "../../domain/outcome.ts";
import type { HttpAnswer } from "../../lib/http-client.ts";
import { toQuotable } from "../../lib/redact.ts";
import { parseAnswer, toStatusReport } from "./answer.ts";
import { toStorableText } from "./read.ts";
import { readRefusal } from "./refusal.ts";

/**
 * What the desk's answer to a message means. Udesk publishes no failure codes, so almost everything is worth another try: a wrong
 * key or address is mended by the operator, and the messages then follow in order.
 */
export function toSubmission({ status, headers, body }: HttpAnswer, now: Date): Submission {
  const answer = parseAnswer(body);
  const isSuccess = status >= 200 && status < 300;
  const refusal = readRefusal(answer);
  if (refusal && (isSuccess || refusal.ofSignature)) {
    return { outcome: { kind: "retry", code: "DESK_REFUSED", detail: `${refusal.meaning}; ${refusal.remedy}` } };
  }
  if (isSuccess) return toTaken(toStatusReport(answer), body);

  const code = `DESK_HTTP_${status}`;
  const detail = toDetail(status);
  if (NEVER_TAKEN.has(status)) return { outcome: { kind: "rejected", code, detail } };
  const retryAfterMs = toRetryAfterMs(headers["retry-after"], now);
  return { outcome: { kind: "retry", code, detail, ...(retryAfterMs !== undefined && { retryAfterMs }) } };
}

const RAW_ANSWER_CHARACTERS_MAX = 500;

/** An answer that does not say where the conversation stands is kept as it came, so that somebody can see why. */
function toTaken(report: StatusReport, body: Buffer): Submission {
  if (report.status !== "unknown") return { outcome: DONE, report };
  const raw = toQuotable(toStorableText(body.toString("utf8"))).slice(0, RAW_ANSWER_CHARACTERS_MAX);
  return { outcome: { kind: "done", detail: `the desk answered: ${raw}` }, report };
}

/** Statuses that speak of this one message: trying again would only hold up the conversation behind it. It stays, dead and replayable. */
const NEVER_TAKEN: ReadonlySet<number> = new Set([400, 413, 415, 422]);

function toDetail(status: number): string {
  const answered = `The desk answered HTTP ${status}`;
  if (NEVER_TAKEN.has(status)) {
    return `${answered}: it does not take this message as it is. Set its type to "text" in desk.types, then replay it.`;
  }
  if (status >= 300 && status < 400) return `${answered}, a redirect: set desk.url to the final address.`;
  if (status === 401 || status === 403) return `${answered}: check this account's desk key.`;
  if (status === 404) return `${answered}: check that desk.url ends in /im_callback.`;
  // No word of another try: a message that is dead by now shows the same text.
  return `${answered}; the desk's own log tells why.`;
}

/** Longer pauses are cut: a conversation that stands still for a day because of one header looks like a fault of ours. */
const RETRY_AFTER_MS_MAX = 60 * 60_000;

/** The header holds seconds or an HTTP date. */
function toRetryAfterMs(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  const pauseMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now.getTime();
  return Number.isNaN(pauseMs) ? undefined : Math.min(Math.max(pauseMs, 0), RETRY_AFTER_MS_MAX);
}
