import type { Claim, ClaimedEntry } from "../domain/outbox.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { OutboxStore } from "../domain/store.ts";

/**
 * An earlier holder began to send this entry and never said how that ended: it crashed, or was cut off. Whether the customer has
 * read it cannot be known, so it is not sent again by itself; the message is marked uncertain and the lane goes on.
 */
export const SENDER_LOST: Outcome = {
  kind: "uncertain",
  code: "SENDER_LOST",
  detail: "the gateway stopped while this was being sent; ask the customer, or send it again if it was not read",
};

/** Settles an entry that was found begun. */
export async function settleLost(
  claim: Claim,
  entry: ClaimedEntry,
  { outbox, now }: { outbox: OutboxStore; now: () => Date },
): Promise<void> {
  const startedAt = entry.begun?.at ?? now();
  const attempt = { startedAt, durationMs: Math.max(0, now().getTime() - startedAt.getTime()) };
  const way = entry.begun?.way ?? null;
  await outbox.settle(
    claim,
    entry,
    { outcome: SENDER_LOST, next: { kind: "finished", state: "uncertain" }, way, attempt },
    { keepForMs: null },
  );
}
