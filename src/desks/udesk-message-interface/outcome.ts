import type { HttpAnswer } from "../../base/http-client.ts";
import { readRetryAfterMs } from "../../base/retry-after.ts";
import type { Submission } from "../../domain/desk.ts";
import { DONE } from "../../domain/outcome.ts";
import { parseAnswer, readAnswer } from "./answer.ts";
import { quote, quoteAnswer } from "./quote.ts";
import { readRefusal } from "./refusal.ts";

/**
 * What the desk's answer to a message means. Udesk publishes no failure codes, so almost everything is worth another try: a wrong
 * key or address is mended by the operator, and the messages then follow in order.
 */
export function toSubmission(answer: HttpAnswer, { key, now }: { key: string; now: Date }): Submission {
  const value = parseAnswer(answer);
  const isSuccess = answer.status >= 200 && answer.status < 300;
  const refusal = readRefusal(value);
  if (refusal && (isSuccess || refusal.ofSignature)) {
    const said = quote(refusal.reason, key);
    return { outcome: { kind: "retry", code: "DESK_REFUSED", detail: `${refusal.meaning}; ${refusal.remedy}`, said } };
  }
  return isSuccess ? toAccepted(answer, value, key) : { outcome: toFailure(answer, now) };
}

function toAccepted(answer: HttpAnswer, value: unknown, key: string): Submission {
  const read = readAnswer(value);
  switch (read.kind) {
    case "silent":
      return { outcome: DONE, isSilent: true };
    case "other": {
      const detail = `the desk answered HTTP ${answer.status}, but did not say that it took the message; ${CHECK_URL}`;
      return { outcome: { kind: "retry", code: "DESK_NOT_ACCEPTED", detail, said: quoteAnswer(answer, key) } };
    }
    case "taken": {
      if (read.report === null) return { outcome: DONE };
      if (read.report.status !== "unknown") return { outcome: DONE, report: read.report };
      // The attempt keeps the answer, so that an operator can see why the status is unknown.
      return { outcome: { kind: "done", detail: `the desk answered: ${quoteAnswer(answer, key)}` }, report: read.report };
    }
  }
}

const CHECK_URL = "check that desk.url is the address that Udesk shows, and that no login page, proxy or other server answers there";

/** Statuses that speak of this one message: trying again would only hold up the conversation behind it. It stays, dead and replayable. */
const NEVER_TAKEN: ReadonlySet<number> = new Set([400, 413, 415, 422]);

function toFailure({ status, headers }: HttpAnswer, now: Date): Submission["outcome"] {
  const code = `DESK_HTTP_${status}`;
  const detail = toDetail(status);
  if (NEVER_TAKEN.has(status)) return { kind: "rejected", code, detail };
  const retryAfterMs = readRetryAfterMs(headers["retry-after"], now);
  return { kind: "retry", code, detail, ...(retryAfterMs !== null && { retryAfterMs }) };
}

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
