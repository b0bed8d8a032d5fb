import { inBatches } from "../domain/in-batches.ts";
import type { OutboxStore } from "../domain/store.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";
import { BATCH_OPTIONS } from "./batch-options.ts";

type Closing = Parameters<OutboxStore["closeCallback"]>[0];

/** Callbacks that end while the last statement is under way are closed with the next one. */
export const closeCallback: (prisma: PrismaClient) => OutboxStore["closeCallback"] = (prisma) => {
  const close = inBatches((closings: readonly Closing[]) => closeCallbacks(prisma, closings), {
    ...BATCH_OPTIONS,
    // A statement can write a row only once.
    keyOf: ({ conversationId }) => conversationId,
  });
  return ({ conversationId, openUntil }) => close({ conversationId, openUntil });
};

/**
 * A lane that waits for open callbacks is due at the end of one of them, to the millisecond; one that waits after a failure is
 * not, and keeps its pause. Conversations are locked first, in the order of ids, as everywhere where several lanes are awaited.
 */
async function closeCallbacks(prisma: PrismaClient, closings: readonly Closing[]): Promise<{ isWaiting: boolean }[]> {
  const lanes = await prisma.$queryRaw<{ conversation_id: string; is_waiting: boolean }[]>`
    WITH conversation AS (
      SELECT given.conversation_id, given.open_until
      FROM (
        SELECT * FROM unnest(
          ${closings.map(({ conversationId }) => conversationId)}::text[], ${closings.map(({ openUntil }) => openUntil.toISOString())}::timestamptz(3)[]
        ) AS t (conversation_id, open_until) ORDER BY conversation_id
      ) given CROSS JOIN LATERAL (
        SELECT FROM conversations WHERE id = given.conversation_id LIMIT 1 FOR NO KEY UPDATE
      ) c
    )
    UPDATE outbox_lanes l SET
      callbacks_open_until = array_remove(l.callbacks_open_until, o.open_until),
      due_at = CASE
        WHEN l.holder IS NULL AND l.due_at = ANY (l.callbacks_open_until)
        THEN GREATEST(now(), (SELECT max(u) FROM unnest(array_remove(l.callbacks_open_until, o.open_until)) u))
        ELSE l.due_at END
    FROM conversation o WHERE l.conversation_id = o.conversation_id AND l.direction = 'outbound'
    RETURNING l.conversation_id, l.pending > 0 AS is_waiting`;
  const waiting = new Set(lanes.flatMap(({ conversation_id, is_waiting }) => (is_waiting ? [conversation_id] : [])));
  return closings.map(({ conversationId }) => ({ isWaiting: waiting.has(conversationId) }));
}
