import type { Outcome } from "../domain/outcome.ts";
import type { Claim, QueuedMessage } from "../domain/queue.ts";
import type { CallbackQueue } from "../domain/store.ts";

/**
 * An earlier holder began to send this message and never settled it: it crashed, or was cut off. Whether the customer has
 * read it cannot be known, so it is not sent again by itself; the message is marked uncertain and the queue goes on.
 */
export const SENDER_LOST: Outcome = {
  kind: "uncertain",
  code: "SENDER_LOST",
  detail: "the gateway stopped while this was being sent; ask the customer, or send it again if it was not read",
};

/** Settles a message that was found begun. */
export async function settleLost(
  claim: Claim,
  queued: QueuedMessage,
  { queues, now }: { queues: Pick<CallbackQueue, "settle">; now: () => Date },
): Promise<void> {
  const startedAt = queued.begun?.at ?? now();
  const attempt = { startedAt, durationMs: Math.max(0, now().getTime() - startedAt.getTime()) };
  const way = queued.begun?.way ?? null;
  await queues.settle(
    claim,
    [queued],
    { outcome: SENDER_LOST, next: { kind: "finished", state: "uncertain" }, way, attempt },
    { keepForMs: null },
  );
}
