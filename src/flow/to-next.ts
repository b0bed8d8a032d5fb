import type { MessageState } from "../domain/message.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { QueuedMessage, Settlement } from "../domain/queue.ts";
import { GIVE_UP_AFTER_MS, retryPauseMs } from "../domain/retry.ts";

/** The states in which a message of this direction ends. */
export interface EndStates {
  done: MessageState;
  rejected: MessageState;
}

export interface RetryDeps {
  now: () => Date;
  /** How long to wait after the n-th failure. */
  pauseMs?: (failures: number) => number;
}

/** The next state of a message after this outcome. No message is tried for longer than a day. */
export function toNext(outcome: Outcome, queued: QueuedMessage, states: EndStates, deps: RetryDeps): Settlement["next"] {
  switch (outcome.kind) {
    case "done":
      return { kind: "finished", state: states.done };
    case "rejected":
      return { kind: "finished", state: states.rejected };
    case "uncertain":
      return { kind: "finished", state: "uncertain" };
    case "hold":
      return { kind: "held" };
    case "retry":
      return toRetry(outcome, queued, deps);
  }
}

function toRetry(
  { retryAfterMs = 0, triesMax = Number.POSITIVE_INFINITY }: Extract<Outcome, { kind: "retry" }>,
  { failures, ageMs }: QueuedMessage,
  { pauseMs = (count) => retryPauseMs(count, Math.random()) }: RetryDeps,
): Settlement["next"] {
  const isOver = ageMs >= GIVE_UP_AFTER_MS || failures + 1 >= triesMax;
  if (isOver) return { kind: "finished", state: "dead" };
  return { kind: "again", afterMs: Math.max(pauseMs(failures + 1), retryAfterMs) };
}
