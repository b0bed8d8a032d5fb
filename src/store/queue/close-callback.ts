import type { OutboxStore } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { BATCH_OPTIONS } from "../database/batch-options.ts";
import { inBatches } from "../database/in-batches.ts";
import { toRowsParameter } from "../database/rows-parameter.ts";

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
 * not, and keeps its pause. Conversations are locked first, in the order of ids, as everywhere where several lanes are awaited. That
 * each is joined with the one that was looked up for it tells the planner that few are left, so that the lanes are found by index.
 */
async function closeCallbacks(prisma: PrismaClient, closings: readonly Closing[]): Promise<{ isWaiting: boolean }[]> {
  const given = closings.map(({ conversationId, openUntil }) => ({ conversation_id: conversationId, open_until: openUntil }));
  const lanes = await prisma.$queryRaw<{ conversation_id: string; is_waiting: boolean }[]>`
    WITH conversation AS (
      SELECT given.conversation_id, given.open_until
      FROM (
        SELECT * FROM json_to_recordset(${toRowsParameter(given)}::json) AS t(conversation_id text, open_until timestamptz(3))
        ORDER BY conversation_id
      ) given JOIN LATERAL (
        SELECT id FROM conversations WHERE id = given.conversation_id LIMIT 1 FOR NO KEY UPDATE
      ) c ON c.id = given.conversation_id
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
