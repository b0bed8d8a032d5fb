import type { CircuitBreaker } from "../domain/circuit-breaker.ts";
import type { Connection, Connections } from "../domain/connection.ts";
import type { StatusReport } from "../domain/conversation.ts";
import type { Submission } from "../domain/desk.ts";
import { newMessageId } from "../domain/ids.ts";
import type { Claim, ClaimedEntry, Postponement, Settlement } from "../domain/outbox.ts";
import { type RetryDeps, toNext } from "./to-next.ts";

export interface ForwardDeps extends RetryDeps {
  connections: Connections;
  breaker: CircuitBreaker;
}

/**
 * Hands one stored inbound message to its desk. May run twice for a message, when an answer was lost or a process died; both
 * times carry the same id. What the desk says of the conversation is part of the settlement, so it is stored with the result.
 */
export async function forward(
  claim: Claim,
  entry: ClaimedEntry,
  deps: ForwardDeps,
  signal: AbortSignal,
): Promise<Settlement | Postponement> {
  const { message } = entry;
  const askedAt = deps.now();
  const connection = await deps.connections.get(message.accountId);
  const waitMs = connection === null ? 0 : deps.breaker.waitMs(message.accountId, askedAt);
  if (waitMs > 0) return { postponedForMs: spread(waitMs) };
  const { outcome, report } = connection === null ? DISABLED : await submit(connection, claim, entry, deps, signal);
  return {
    outcome,
    next: toNext(outcome, entry, { done: "forwarded", rejected: "dead" }, deps),
    way: null,
    attempt: { startedAt: askedAt, durationMs: deps.now().getTime() - askedAt.getTime() },
    ...(report === undefined ? {} : { report: { status: report, askedAt } }),
    ...toNotice(report, connection?.account.replies.notices ?? "never", deps.now()),
  };
}

/** One try, and what it tells of the desk: an answer of any kind shows that it is there. */
async function submit(connection: Connection, claim: Claim, { message }: ClaimedEntry, { breaker, now }: ForwardDeps, signal: AbortSignal) {
  const submission = await connection.desk.submit(message, claim.conversation, signal);
  const { outcome } = submission;
  if (outcome.kind === "retry") breaker.failed(message.accountId, now(), outcome.retryAfterMs);
  else breaker.succeeded(message.accountId);
  return submission;
}

/** Up to half as long again, so that all who wait for a desk do not come back in the same instant. */
function spread(waitMs: number): number {
  return Math.round(waitMs * (1 + Math.random() / 2));
}

const DISABLED: Submission = {
  outcome: { kind: "retry", code: "ACCOUNT_DISABLED", detail: "the account is disabled; enable it and the message goes out" },
};

function toNotice(report: StatusReport | undefined, when: "changes" | "always" | "never", now: Date): Pick<Settlement, "notice"> {
  const text = report?.notice;
  if (when === "never" || typeof text !== "string" || text.trim() === "") return {};
  return { notice: { messageId: newMessageId(now), when, content: { type: "text", text } } };
}
