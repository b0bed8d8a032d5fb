import type { CallbackQueue } from "../../domain/store.ts";
import { batchStatement } from "../database/batch-statement.ts";
import type { Database } from "../database/database.ts";
import { inStatements } from "../database/in-statements.ts";

type Closing = Parameters<CallbackQueue["closeCallback"]>[0];

/**
 * A queue that waits for open callbacks is due at the end of one of them, to the millisecond; one that waits after a failure is not, and
 * keeps its pause. Conversations are locked in the order of ids, as everywhere. That each is joined with the one that was looked up for it
 * tells the planner that few are left, so that they are found by index.
 */
const closeCallbacks = batchStatement<Closing>(
  {
    conversation_id: ["text", ({ conversationId }) => conversationId],
    open_until: ["timestamptz", ({ openUntil }) => openUntil],
  },
  (given) => `
    WITH open AS (
      SELECT g.position, c.id, g.open_until::timestamptz(3) AS open_until
      FROM (SELECT * FROM ${given} g ORDER BY conversation_id) g
      JOIN LATERAL (SELECT id FROM conversations WHERE id = g.conversation_id LIMIT 1 FOR NO KEY UPDATE) c ON c.id = g.conversation_id
    )
    UPDATE conversations c SET
      open_callbacks = array_remove(c.open_callbacks, o.open_until),
      outbound_due_at = CASE
        WHEN c.outbound_holder IS NULL AND c.outbound_due_at = ANY (c.open_callbacks)
        THEN GREATEST(now(), (SELECT max(u) FROM unnest(array_remove(c.open_callbacks, o.open_until)) u))
        ELSE c.outbound_due_at END
    FROM open o WHERE c.id = o.id
    RETURNING o.position, c.outbound_last > c.outbound_done AS is_waiting`,
);

export function closeCallback(database: Database): CallbackQueue["closeCallback"] {
  const close = inStatements<Closing, { position: number; is_waiting: boolean }>(
    database,
    closeCallbacks,
    ({ conversationId }) => conversationId,
  );
  return async (closing) => ({ isWaiting: (await close(closing))?.is_waiting ?? false });
}
