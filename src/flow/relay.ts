import { type Account, NOT_AUTHORISED } from "../domain/account.ts";
import { ALL_ACCOUNTS } from "../domain/api-key.ts";
import type { Channel } from "../domain/channel.ts";
import type { Connection } from "../domain/connection.ts";
import type { Attempt } from "../domain/message.ts";
import { APP_MISMATCH, toOtherApp } from "../domain/other-app.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Claim, QueuedMessage, Settlement } from "../domain/queue.ts";
import { isBlank } from "../domain/sendable-text.ts";
import type { ConversationStore, WorkerQueues } from "../domain/store.ts";
import type { Part } from "../domain/text-part.ts";
import { type NoteWarningDeps, noteWarning } from "./note-warning.ts";
import { prepare } from "./prepare.ts";
import { sendFitting } from "./send-fitting.ts";
import { SENDER_LOST } from "./sender-lost.ts";
import { type RetryDeps, toNext } from "./to-next.ts";
import { uploadAgain } from "./upload-again.ts";

export interface RelayDeps extends RetryDeps, NoteWarningDeps {
  queues: Pick<WorkerQueues, "begin">;
  conversations: Pick<ConversationStore, "message">;
  leaseMs: number;
}

/**
 * Sends one reply, or the next part of a long one, as an asynchronous message. The begin mark is written before the first byte
 * leaves and never taken back here: a message found begun is uncertain and not sent again.
 * @returns null when the queue has passed to another holder, which settles the message
 */
export async function relay(claim: Claim, queued: QueuedMessage, deps: RelayDeps, signal: AbortSignal): Promise<Settlement | null> {
  const startedAt = deps.now();
  // Before anything that can fail: a fault would be taken for an untried message, and the mark be lost.
  if (queued.begun !== null) return toSettlement(SENDER_LOST, queued, startedAt, deps);
  const connection = await deps.connections.get(queued.message.accountId);
  const obstacle = toObstacle(connection, claim, queued);
  if (connection === null || obstacle !== null) return toSettlement(obstacle ?? DISABLED, queued, startedAt, deps);

  const { channel } = connection;
  const prepared = await prepare(channel, queued, signal);
  if ("outcome" in prepared) {
    await notePermission(connection.account, prepared.outcome, deps);
    return toSettlement(prepared.outcome, queued, startedAt, deps);
  }
  const { part, note, isUploaded } = prepared;
  // Read before the begin mark: a fault behind it would be taken for a doubt.
  const earlier = isUploaded ? await readEarlierAttempts(queued, deps) : [];
  const begin = () => deps.queues.begin(claim, [queued], "async", deps.leaseMs);
  if (!(await begin())) return null;
  const sent = await sendFitting(part, queued, {
    channel,
    send: (fitting) => send(channel, claim.conversation.openId, fitting, signal),
    renew: begin,
  });
  if (sent === null) return null;
  const outcome = withNotes(isUploaded ? uploadAgain(sent.outcome, earlier) : sent.outcome, [note, sent.note]);
  await notePermission(connection.account, outcome, deps);
  return toSettlement(outcome, queued, startedAt, deps, sent.part);
}

const DISABLED: Outcome = { kind: "retry", code: "ACCOUNT_DISABLED", detail: "the account is disabled; enable it and the reply goes out" };

/** New texts are checked before they are stored; this is for one that an older version took. */
const NOTHING_SAID: Outcome = {
  kind: "rejected",
  code: "TEXT_EMPTY",
  detail: "there is nothing to read in this text, and to an empty one WeChat shows the customer an error; have the agent say it again",
};

const NO_ASYNC: Outcome = {
  kind: "hold",
  code: "ASYNC_OFF",
  detail: "this account answers only while a callback is open (replies.async is false); it goes out with the customer's next message",
};

const WINDOW_CLOSED: Outcome = {
  kind: "hold",
  code: "WINDOW_CLOSED",
  detail: "the time in which WeChat takes messages to this customer is over; it goes out when the customer writes again",
};

/** The contact would read it in the chat of another app than the one they wrote to. A passive reply reaches the right one. */
function toWrongApp(otherApp: string): Outcome {
  const detail = `the member wrote to app ${otherApp}, and this account sends as another; correct the account or WeCom's console (see its warning); it goes out when the member writes again`;
  return { kind: "hold", code: APP_MISMATCH, detail };
}

/** Why nothing may be sent now; null when nothing is in the way. The window is known, so the platform need not be asked to learn it. */
function toObstacle(
  connection: Connection | null,
  { conversation, claimedAt }: Claim,
  { message: { content } }: QueuedMessage,
): Outcome | null {
  if (content.type === "text" && isBlank(content.text)) return NOTHING_SAID;
  if (connection === null) return DISABLED;
  if (!connection.account.replies.async) return NO_ASYNC;
  const otherApp = toOtherApp(connection.account, conversation.addressedApp);
  if (otherApp !== null) return toWrongApp(otherApp);
  return conversation.windowClosesAt !== null && conversation.windowClosesAt <= claimedAt ? WINDOW_CLOSED : null;
}

/** What the platform holds against the account itself, not against this reply, is for the operator to see. */
async function notePermission(account: Account, outcome: Outcome, deps: RelayDeps): Promise<void> {
  const isRefused = outcome.kind === "hold" && outcome.code === NOT_AUTHORISED;
  if (!isRefused && outcome.kind !== "done") return;
  await noteWarning(account, { code: NOT_AUTHORISED, sentence: outcome.detail ?? "", isTrue: isRefused }, deps);
}

/** A fault of ours after the begin mark may have sent the bytes; it must not send them twice. */
async function send(channel: Channel, openId: string, { content }: Part, signal: AbortSignal): Promise<Outcome> {
  try {
    return await channel.send(openId, content, signal);
  } catch (error) {
    return { kind: "uncertain", code: "SEND_FAILED", detail: error instanceof Error ? error.name : "unknown fault" };
  }
}

async function readEarlierAttempts({ message }: QueuedMessage, { conversations }: RelayDeps): Promise<Attempt[]> {
  if (message.attempts === 0) return [];
  return (await conversations.message(message.id, ALL_ACCOUNTS))?.attempts ?? [];
}

/** Where the contact was shown something else than the agent sent, the attempt says so. */
function withNotes(outcome: Outcome, notes: (string | undefined)[]): Outcome {
  const detail = notes.filter((note) => note !== undefined).join("; ");
  return outcome.kind === "done" && detail !== "" ? { ...outcome, detail } : outcome;
}

function toSettlement(outcome: Outcome, queued: QueuedMessage, startedAt: Date, deps: RelayDeps, part?: Part): Settlement {
  const next = toNext(outcome, queued, { done: "sent", rejected: "failed" }, deps);
  const isPartOut = outcome.kind === "done" && part?.progress !== undefined;
  return {
    outcome,
    next: isPartOut ? { kind: "progressed", progress: part.progress ?? 0 } : next,
    way: queued.begun?.way ?? (part === undefined ? null : "async"),
    attempt: { startedAt, durationMs: deps.now().getTime() - startedAt.getTime() },
  };
}
