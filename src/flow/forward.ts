import type { Connections } from "../domain/connection.ts";
import type { StatusReport } from "../domain/conversation.ts";
import type { Submission } from "../domain/desk.ts";
import { newMessageId } from "../domain/ids.ts";
import type { Claim, ClaimedEntry, Settlement } from "../domain/outbox.ts";
import { type RetryDeps, toNext } from "./to-next.ts";

export interface ForwardDeps extends RetryDeps {
  connections: Connections;
}

/**
 * Hands one stored inbound message to its desk. May run twice for a message, when an answer was lost or a process died; both
 * times carry the same id. What the desk says of the conversation is part of the settlement, so it is stored with the result.
 */
export async function forward(claim: Claim, entry: ClaimedEntry, deps: ForwardDeps, signal: AbortSignal): Promise<Settlement> {
  const { message } = entry;
  const askedAt = deps.now();
  const connection = await deps.connections.get(message.accountId);
  const submission = connection === null ? DISABLED : await connection.desk.submit(message, claim.conversation, signal);
  const { outcome, report } = submission;
  return {
    outcome,
    next: toNext(outcome, entry, { done: "forwarded", rejected: "dead" }, deps),
    way: null,
    attempt: { startedAt: askedAt, durationMs: deps.now().getTime() - askedAt.getTime() },
    ...(report === undefined ? {} : { report: { status: report, askedAt } }),
    ...toNotice(report, connection?.account.replies.notices ?? "never", deps.now()),
  };
}

const DISABLED: Submission = {
  outcome: { kind: "retry", code: "ACCOUNT_DISABLED", detail: "the account is disabled; enable it and the message goes out" },
};

function toNotice(report: StatusReport | undefined, when: "changes" | "always" | "never", now: Date): Pick<Settlement, "notice"> {
  const text = report?.notice;
  if (when === "never" || typeof text !== "string" || text.trim() === "") return {};
  return { notice: { messageId: newMessageId(now), when, content: { type: "text", text } } };
}
