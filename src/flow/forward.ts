import { DESK_SILENT } from "../domain/account.ts";
import type { CircuitBreaker } from "../domain/circuit-breaker.ts";
import type { Connection } from "../domain/connection.ts";
import type { StatusReport } from "../domain/conversation.ts";
import type { Submission } from "../domain/desk.ts";
import { newMessageId } from "../domain/ids.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Claim, Postponement, QueuedMessage, Settlement } from "../domain/queue.ts";
import { type NoteWarningDeps, noteWarning } from "./note-warning.ts";
import { toOutageNotice } from "./outage-notice.ts";
import { type RetryDeps, toNext } from "./to-next.ts";

export interface ForwardDeps extends RetryDeps, NoteWarningDeps {
  breaker: CircuitBreaker;
}

/**
 * Hands one stored inbound message to its desk. May run twice for a message, when an answer was lost or a process died; both
 * times carry the same id. What the desk says of the conversation is part of the settlement, so it is stored with the result.
 */
export async function forward(
  claim: Claim,
  queued: QueuedMessage,
  deps: ForwardDeps,
  signal: AbortSignal,
): Promise<Settlement | Postponement> {
  const { message } = queued;
  // The breaker's pauses go by the monotonic clock: a time of day that is set back must not make them longer.
  const asked = { at: deps.now(), atMs: performance.now() };
  const connection = await deps.connections.get(message.accountId);
  if (connection === null) return toSettlement(DISABLED, { asked, notice: undefined }, { claim, queued }, deps);
  const waitMs = deps.breaker.waitMs(message.accountId, new Date(asked.atMs));
  const away = () => toOutageNotice(connection.account, claim.conversation, deps.now());
  if (waitMs > 0) return postpone(spread(waitMs), away(), asked.at);
  const submission = await submit(connection, claim, queued, deps, signal);
  const isAway = submission.outcome.kind === "retry" && deps.breaker.isOpen(message.accountId);
  const notice = isAway ? away() : toDeskNotice(submission.report, connection.account.replies.notices, deps.now());
  return toSettlement(submission, { asked, notice }, { claim, queued }, deps);
}

function toSettlement(
  { outcome, report }: Submission,
  { asked, notice }: { asked: { at: Date; atMs: number }; notice: Settlement["notice"] },
  { claim, queued }: { claim: Claim; queued: QueuedMessage },
  deps: ForwardDeps,
): Settlement {
  const { callback, conversation } = claim;
  const isCallbackOver = outcome.kind === "done" && callback?.endsWith(report?.status ?? conversation.status);
  return {
    outcome,
    next: toNext(outcome, queued, { done: "forwarded", rejected: "dead" }, deps),
    way: null,
    callbackOpenUntil: isCallbackOver ? callback?.openUntil : null,
    attempt: { startedAt: asked.at, durationMs: Math.round(performance.now() - asked.atMs) },
    ...(report === undefined ? {} : { report: { status: report, askedAtMs: asked.atMs } }),
    ...(notice === undefined ? {} : { notice }),
  };
}

/** No request to the desk for now. A notice to the contact needs a settlement; without one the queue is only postponed. */
function postpone(afterMs: number, notice: Settlement["notice"], now: Date): Settlement | Postponement {
  if (notice === undefined) return { postponedForMs: afterMs };
  return { outcome: AWAY, next: { kind: "again", afterMs }, way: null, attempt: { startedAt: now, durationMs: 0 }, notice };
}

/** One try, and what it tells of the desk: what takes no message, a wrong address for one, is as good as away. */
async function submit(connection: Connection, claim: Claim, { message }: QueuedMessage, deps: ForwardDeps, signal: AbortSignal) {
  const { breaker } = deps;
  const submission = await connection.desk.submit(message, claim.conversation, signal);
  const { outcome, isSilent = false } = submission;
  if (outcome.kind === "retry") breaker.failed(message.accountId, new Date(performance.now()), outcome.retryAfterMs);
  else breaker.succeeded(message.accountId);
  if (outcome.kind === "done") await noteWarning(connection.account, { code: DESK_SILENT, sentence: SILENT, isTrue: isSilent }, deps);
  return submission;
}

const SILENT =
  "the desk answers customers' messages with HTTP 200 and nothing in it, so whether it takes them is not known; look for them at the desk, and check that desk.url is the address that Udesk shows";

/** Up to half as long again, so that all who wait for a desk do not come back in the same instant. */
function spread(waitMs: number): number {
  return Math.round(waitMs * (1 + Math.random() / 2));
}

const DISABLED: Submission = {
  outcome: { kind: "retry", code: "ACCOUNT_DISABLED", detail: "the account is disabled; enable it and the message goes out" },
};

const AWAY: Outcome = {
  kind: "retry",
  code: "DESK_AWAY",
  detail: "not tried: the desk has failed several times in a row and is asked by one message at a time until it answers",
};

function toDeskNotice(report: StatusReport | undefined, when: "changes" | "always" | "never", now: Date): Settlement["notice"] {
  const text = report?.notice;
  if (when === "never" || typeof text !== "string" || text.trim() === "") return undefined;
  return { messageId: newMessageId(now), when, content: { type: "text", text } };
}
