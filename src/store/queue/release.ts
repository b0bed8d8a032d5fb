import type { Direction } from "../../domain/message.ts";
import type { Claim } from "../../domain/queue.ts";
import type { CallbackQueue, Release, WorkerQueues } from "../../domain/store.ts";
import { batchStatement } from "../database/batch-statement.ts";
import type { Database } from "../database/database.ts";
import { inStatements } from "../database/in-statements.ts";
import { CLAIM_COLUMNS, eachDirection, LAST_CALLBACK, locked } from "./claim-rows.ts";

/** When an unclaimed queue is due: now if it has messages, replies after the open callbacks, else never. */
export const toDueAgain = (direction: Direction): string => `
  CASE WHEN c.${direction}_last > c.${direction}_done
  THEN GREATEST(now(), ${direction === "outbound" ? LAST_CALLBACK : "NULL::timestamptz"}) END`;

/** A claim that ends untried. Without a claim number: any claim that the holder has. */
interface Untried {
  claim: Pick<Claim, "conversationId" | "holder"> & Partial<Claim>;
  afterMs?: number;
  /** The message whose answer is taken back. */
  inboundId?: string;
}

/** A queue that was in a pause when it was claimed waits that out. `also`: further columns that are set. */
const releaseOf = (direction: Direction, also = "") =>
  batchStatement<Untried>(
    {
      ...CLAIM_COLUMNS,
      paused_until: ["timestamptz", ({ claim }) => claim.pausedUntil],
      after_ms: ["int4", ({ afterMs = 0 }) => Math.round(afterMs)],
      inbound_id: ["text", ({ inboundId }) => inboundId],
    },
    (given) => `
    WITH claim AS (
      SELECT g.* FROM ${locked(given)}
      WHERE c.${direction}_holder = g.holder AND c.${direction}_claim = COALESCE(g.claim_number, c.${direction}_claim)
    ), conversation AS (
      UPDATE conversations c SET ${also}
        ${direction}_holder = NULL,
        ${direction}_due_at = o.after_ms * interval '1 millisecond' + CASE
          WHEN c.${direction}_last > c.${direction}_done AND o.paused_until > now() THEN o.paused_until ELSE ${toDueAgain(direction)} END
      FROM claim o WHERE c.id = o.conversation_id
      RETURNING o.inbound_id
    )
    UPDATE messages m SET answer = NULL, answer_message_id = NULL FROM conversation o WHERE m.id = o.inbound_id`,
  );

const RELEASE = eachDirection((direction) => releaseOf(direction));

export function release(database: Database): Release {
  return async (claim, afterMs) => void (await RELEASE[claim.direction](database, [{ claim, afterMs }]));
}

export function releaseLost(database: Database): WorkerQueues["releaseLost"] {
  return async (holder, queues) => {
    for (const direction of ["inbound", "outbound"] as const) {
      const lost = queues
        .filter((queue) => queue.direction === direction)
        .map(({ conversationId }) => ({ claim: { conversationId, holder } }));
      if (lost.length > 0) await RELEASE[direction](database, lost);
    }
  };
}

const WITHDRAW = releaseOf("outbound", "outbound_begun = 0, outbound_begun_at = NULL, outbound_begun_way = NULL,");

/** Changes nothing when the queue has passed to another holder: then the answer may have been given by a repetition of the callback. */
export function withdraw(database: Database): CallbackQueue["withdraw"] {
  return async (claim, inboundId) => void (await WITHDRAW(database, [{ claim, inboundId }]));
}

type Closing = Parameters<CallbackQueue["closeCallback"]>[0];

/**
 * A queue that waits for open callbacks is due at the end of one of them, to the millisecond; one that waits after a failure is not, and
 * keeps its pause.
 */
const closeCallbacks = batchStatement<Closing>(
  {
    conversation_id: ["text", ({ conversationId }) => conversationId],
    open_until: ["timestamptz", ({ openUntil }) => openUntil],
  },
  // In a WITH of its own: as a part of the update, the planner could lock in another order.
  (given) => `
    WITH o AS (
      SELECT g.*, array_remove(c.open_callbacks, g.open_until::timestamptz(3)) AS left_open FROM ${locked(given)}
    )
    UPDATE conversations c SET
      open_callbacks = o.left_open,
      outbound_due_at = CASE
        WHEN c.outbound_holder IS NULL AND c.outbound_due_at = ANY (c.open_callbacks)
        THEN GREATEST(now(), (SELECT max(u) FROM unnest(o.left_open) u))
        ELSE c.outbound_due_at END
    FROM o WHERE c.id = o.conversation_id
    RETURNING o.position, c.outbound_last > c.outbound_done AS is_waiting`,
);

export function closeCallback(database: Database): CallbackQueue["closeCallback"] {
  const close = inStatements<Closing, { position: number; is_waiting: boolean }>(
    database,
    closeCallbacks,
    ({ conversationId }) => conversationId,
  );
  return async (closing) => ({ isWaiting: (await close(closing))[0]?.is_waiting ?? false });
}
