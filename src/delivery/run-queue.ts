import type { Log } from "../base/log.ts";
import { withoutSecrets } from "../base/redact.ts";
import { retryUntil } from "../base/retry-until.ts";
import { withTimeLimit } from "../base/time-limit.ts";
import type { Claim, Postponement, QueuedMessage, Settlement } from "../domain/queue.ts";
import { GIVE_UP_AFTER_MS, retryPauseMs } from "../domain/retry.ts";
import { type Change, type Signals, SOMETHING } from "../domain/signals.ts";
import type { Settled, WorkerQueues } from "../domain/store.ts";

/** One try of a message, or the decision not to try now. Null: the queue has passed to another holder. */
export type Step = (claim: Claim, message: QueuedMessage, signal: AbortSignal) => Promise<Settlement | Postponement | null>;

export interface RunQueueDeps {
  queues: WorkerQueues;
  signals: Signals;
  log: Log;
  leaseMs: number;
  signal: AbortSignal;
}

export interface QueueResult {
  isDue: boolean;
  noticeEnqueued: boolean;
  /** When the queue waits after a failure: for how long. */
  retryAfterMs: number | null;
}

/** Read at once when more waits than the claim brought. */
export const MESSAGES_PER_READ = 10;

/**
 * Works through a claimed queue in order, settling each message before the next is tried, until it is empty or its head has to wait. The
 * lease is renewed by each settle, so it has to outlast one try only.
 */
export async function runQueue(claim: Claim, step: Step, deps: RunQueueDeps): Promise<QueueResult> {
  const result: QueueResult = { isDue: false, noticeEnqueued: false, retryAfterMs: null };
  let waiting = claim.messages.length > 0 ? [...claim.messages] : await deps.queues.next(claim, 0, MESSAGES_PER_READ);
  if (waiting.length === 0) await deps.queues.release(claim);
  let current = claim;
  for (let message = waiting.shift(); message !== undefined; ) {
    const settlement = await tryMessage(current, message, step, deps);
    if (settlement === null) return result;
    if ("postponedForMs" in settlement) {
      await deps.queues.release(current, settlement.postponedForMs);
      deps.signals.notify(claim.conversationId, SOMETHING);
      return { ...result, retryAfterMs: settlement.postponedForMs };
    }
    const { next } = settlement;
    const goesOn = next.kind === "progressed" || (next.kind === "finished" && !deps.signal.aborted);
    const settled = await settle(current, message, settlement, goesOn ? deps.leaseMs : null, deps);
    if (settled === null) return result;
    result.noticeEnqueued ||= settled.noticeEnqueued;
    result.isDue = settled.isDue && next.kind === "finished";
    result.retryAfterMs = next.kind === "again" ? next.afterMs : null;
    if (next.kind !== "progressed" && !(goesOn && settled.hasMore)) return result;
    // The callback belongs to the first message.
    current = { ...claim, callback: undefined };
    if (next.kind === "progressed") message = toRest(message, next.progress);
    else {
      if (waiting.length === 0) waiting = await deps.queues.next(claim, message.place, MESSAGES_PER_READ);
      message = waiting.shift();
      // Nothing to read where more should wait: a claim in memory must not be kept without work.
      if (message === undefined) await deps.queues.release(claim);
    }
  }
  return result;
}

/** A long text of which a part is out. */
function toRest({ message, ...queued }: QueuedMessage, progress: number): QueuedMessage {
  return { ...queued, message: { ...message, attempts: message.attempts + 1 }, progress, begun: null, failures: 0 };
}

/** Time for a settle, with a restart of the database. A try is cut off this long before its lease ends, so that it cannot outlast it. */
const SETTLE_MS = 10_000;

async function tryMessage(claim: Claim, message: QueuedMessage, step: Step, { signal, leaseMs }: RunQueueDeps): ReturnType<Step> {
  const startedAt = new Date();
  try {
    return await withTimeLimit(leaseMs - SETTLE_MS, signal, (limited) => step(claim, message, limited));
  } catch (error) {
    // A fault before anything was sent, such as a database that went away: the message is as good as untried.
    const isOver = message.ageMs >= GIVE_UP_AFTER_MS;
    return {
      outcome: {
        kind: "retry",
        code: "INTERNAL",
        detail: error instanceof Error ? withoutSecrets(error.message).slice(0, 200) : "unknown fault",
      },
      next: isOver ? { kind: "finished", state: "dead" } : { kind: "again", afterMs: retryPauseMs(message.failures + 1, Math.random()) },
      way: null,
      attempt: { startedAt, durationMs: Date.now() - startedAt.getTime() },
    };
  }
}

async function settle(
  claim: Claim,
  queued: QueuedMessage,
  settlement: Settlement,
  keepForMs: number | null,
  { queues, signals, log }: RunQueueDeps,
): Promise<Settled | null> {
  const settled = await retryUntil(() => queues.settle(claim, [queued], settlement, { keepForMs }), SETTLE_MS);
  signals.notify(claim.conversationId, toChange(claim, queued, settlement, settled));
  const { outcome, attempt } = settlement;
  log.info(
    {
      account: queued.message.accountId,
      conversation: claim.conversationId,
      message: queued.message.id,
      attempt: queued.message.attempts + 1,
      outcome: settled === null ? "overtaken" : outcome.kind,
      ...("code" in outcome ? { code: outcome.code, detail: outcome.detail } : {}),
      text: queued.message.text,
      durationMs: attempt.durationMs,
    },
    claim.direction === "inbound" ? "message.forwarded" : "reply.relayed",
  );
  return settled;
}

/** Saves an open callback its query: its message is with the desk, and there is no notice. */
function toChange(
  { direction, conversation }: Claim,
  { message }: QueuedMessage,
  { outcome, report }: Settlement,
  settled: Settled | null,
): Change {
  const isForwarded = direction === "inbound" && outcome.kind === "done" && settled?.noticeEnqueued === false;
  if (!isForwarded) return SOMETHING;
  const status = report?.status.status ?? conversation.status;
  return { kind: "forwarded", messageId: message.id, status, isCallbackClosed: settled.isCallbackClosed };
}
