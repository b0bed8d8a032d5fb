import type { Log } from "../base/log.ts";
import { withoutSecrets } from "../base/redact.ts";
import { retryUntil } from "../base/retry-until.ts";
import { withTimeLimit } from "../base/time-limit.ts";
import type { Claim, ClaimedEntry, Postponement, Settlement } from "../domain/outbox.ts";
import { GIVE_UP_AFTER_MS, retryPauseMs } from "../domain/retry.ts";
import { type Change, type Signals, SOMETHING } from "../domain/signals.ts";
import type { OutboxStore, Settled } from "../domain/store.ts";

/** One try of one entry, or the decision not to try now. Null: the lane belongs to somebody else now. */
export type Step = (claim: Claim, entry: ClaimedEntry, signal: AbortSignal) => Promise<Settlement | Postponement | null>;

export interface RunLaneDeps {
  outbox: OutboxStore;
  signals: Signals;
  log: Log;
  leaseMs: number;
  signal: AbortSignal;
}

export interface LaneResult {
  moreDue: boolean;
  noticeEnqueued: boolean;
  /** When the lane waits after a failure: for how long. */
  retryAfterMs: number | null;
}

/**
 * Works through the entries of a claim in order, settling each before the next is tried, and ends at the first that has to wait.
 * The lease is renewed by each settle, so it has to outlast one try only.
 */
export async function runLane(claim: Claim, step: Step, deps: RunLaneDeps): Promise<LaneResult> {
  const result: LaneResult = { moreDue: false, noticeEnqueued: false, retryAfterMs: null };
  const waiting = [...claim.entries];
  if (waiting.length === 0) await deps.outbox.release(claim);
  let held = claim;
  for (let entry = waiting.shift(); entry !== undefined; ) {
    const settlement = await tryEntry(held, entry, step, deps);
    if (settlement === null) return result;
    if ("postponedForMs" in settlement) {
      await deps.outbox.release(held, settlement.postponedForMs);
      deps.signals.notify(claim.conversationId, SOMETHING);
      return { ...result, retryAfterMs: settlement.postponedForMs };
    }
    const { next } = settlement;
    const goesOn = next.kind === "progressed" || (next.kind === "finished" && waiting.length > 0 && !deps.signal.aborted);
    const settled = await settle(held, entry, settlement, goesOn ? deps.leaseMs : null, deps);
    if (settled === null) return result;
    result.noticeEnqueued ||= settled.noticeEnqueued;
    result.moreDue = !goesOn && settled.moreDue && next.kind === "finished";
    result.retryAfterMs = next.kind === "again" ? next.afterMs : null;
    if (!goesOn) return result;
    held = { ...claim, claimNumber: settled.claimNumber };
    entry = next.kind === "progressed" ? toRest(entry, next.progress) : waiting.shift();
  }
  return result;
}

/** A long text of which a part is out. */
function toRest({ message, ...entry }: ClaimedEntry, progress: number): ClaimedEntry {
  return { ...entry, message: { ...message, attempts: message.attempts + 1 }, progress, begun: null, failures: 0 };
}

/** What a settle may take, a restart of the database included; a try is cut off that much before its lease ends, so that it cannot outlast it. */
const SETTLE_MS = 10_000;

async function tryEntry(claim: Claim, entry: ClaimedEntry, step: Step, { signal, leaseMs }: RunLaneDeps): ReturnType<Step> {
  const startedAt = new Date();
  try {
    return await withTimeLimit(leaseMs - SETTLE_MS, signal, (limited) => step(claim, entry, limited));
  } catch (error) {
    // A fault before anything was sent, such as a database that went away: the entry is as good as untried.
    const isOver = entry.ageMs >= GIVE_UP_AFTER_MS;
    return {
      outcome: {
        kind: "retry",
        code: "INTERNAL",
        detail: error instanceof Error ? withoutSecrets(error.message).slice(0, 200) : "unknown fault",
      },
      next: isOver ? { kind: "finished", state: "dead" } : { kind: "again", afterMs: retryPauseMs(entry.failures + 1, Math.random()) },
      way: null,
      attempt: { startedAt, durationMs: Date.now() - startedAt.getTime() },
    };
  }
}

async function settle(
  claim: Claim,
  entry: ClaimedEntry,
  settlement: Settlement,
  keepForMs: number | null,
  { outbox, signals, log }: RunLaneDeps,
): Promise<Settled | null> {
  const settled = await retryUntil(() => outbox.settle(claim, entry, settlement, { keepForMs }), SETTLE_MS);
  signals.notify(claim.conversationId, toChange(claim, entry, settlement, settled));
  const { outcome, attempt } = settlement;
  log.info(
    {
      account: entry.message.accountId,
      conversation: claim.conversationId,
      message: entry.message.id,
      attempt: entry.message.attempts + 1,
      outcome: settled === null ? "overtaken" : outcome.kind,
      ...("code" in outcome ? { code: outcome.code, detail: outcome.detail } : {}),
      text: entry.message.text,
      durationMs: attempt.durationMs,
    },
    claim.direction === "inbound" ? "message.forwarded" : "reply.relayed",
  );
  return settled;
}

/** What an open callback need not look up any more: its message is with the desk, and there is no notice. */
function toChange(
  { direction, conversation }: Claim,
  { message }: ClaimedEntry,
  { outcome, report }: Settlement,
  settled: Settled | null,
): Change {
  const isForwarded = direction === "inbound" && outcome.kind === "done" && settled?.noticeEnqueued === false;
  if (!isForwarded) return { kind: "something" };
  return { kind: "forwarded", messageId: message.id, status: report?.status.status ?? conversation.status };
}
