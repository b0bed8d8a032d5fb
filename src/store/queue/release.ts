import type { Direction } from "../../domain/message.ts";
import type { Claim, QueueKey } from "../../domain/queue.ts";
import type { CallbackQueue, Release, WorkerQueues } from "../../domain/store.ts";
import { batchStatement } from "../database/batch-statement.ts";
import type { Database } from "../database/database.ts";
import { LAST_CALLBACK } from "./claim-rows.ts";

/** When an unclaimed queue is due: now if it has messages, replies after the open callbacks, else never. */
export const toDueAgain = (direction: Direction): string => `
  CASE WHEN c.${direction}_last > c.${direction}_done
  THEN GREATEST(now(), ${direction === "outbound" ? LAST_CALLBACK : "NULL::timestamptz"}) END`;

/** The same, unless the queue was in a pause when it was claimed: then that goes on. `$4`: the end of the pause. */
const toDueUntried = (direction: Direction): string => `
  CASE WHEN c.${direction}_last > c.${direction}_done AND $4::timestamptz(3) > now() THEN $4::timestamptz(3) ELSE ${toDueAgain(direction)} END`;

/** The parameters $1 to $4 of a statement that ends a claim untried. */
const toFence = ({ conversationId, holder, claimNumber, pausedUntil }: Claim): unknown[] => [
  conversationId,
  holder,
  claimNumber,
  pausedUntil,
];

const releaseOf = (direction: Direction) => `
  UPDATE conversations c SET
    ${direction}_holder = NULL, ${direction}_due_at = ${toDueUntried(direction)} + $5::int * interval '1 millisecond'
  WHERE c.id = $1 AND c.${direction}_holder = $2 AND c.${direction}_claim = $3::bigint`;

const RELEASE = { inbound: releaseOf("inbound"), outbound: releaseOf("outbound") };

export function release(database: Database): Release {
  return async (claim, afterMs = 0) => {
    await database.query(RELEASE[claim.direction], [...toFence(claim), Math.round(afterMs)]);
  };
}

const WITHDRAW = `
  WITH conversation AS (
    UPDATE conversations c SET
      outbound_holder = NULL, outbound_due_at = ${toDueUntried("outbound")},
      outbound_begun = 0, outbound_begun_at = NULL, outbound_begun_way = NULL
    WHERE c.id = $1 AND c.outbound_holder = $2 AND c.outbound_claim = $3::bigint
    RETURNING c.id
  )
  UPDATE messages m SET answer = NULL, answer_message_id = NULL FROM conversation WHERE m.id = $5`;

/** Changes nothing when the queue has passed to another holder: then the answer may have been given by a repetition of the callback. */
export function withdraw(database: Database): CallbackQueue["withdraw"] {
  return async (claim, inboundId) => {
    await database.query(WITHDRAW, [...toFence(claim), inboundId]);
  };
}

type LostQueue = QueueKey & { holder: string };

const releaseLostOf = (direction: Direction) =>
  batchStatement<LostQueue>(
    { conversation_id: ["text", ({ conversationId }) => conversationId], holder: ["text", ({ holder }) => holder] },
    (given) => `
    UPDATE conversations c SET ${direction}_holder = NULL, ${direction}_due_at = ${toDueAgain(direction)}
    FROM (
      SELECT c.id FROM (SELECT * FROM ${given} g ORDER BY conversation_id) g CROSS JOIN LATERAL (
        SELECT * FROM conversations WHERE id = g.conversation_id LIMIT 1 FOR NO KEY UPDATE
      ) c WHERE c.${direction}_holder = g.holder
    ) lost WHERE c.id = lost.id`,
  );

const RELEASE_LOST = { inbound: releaseLostOf("inbound"), outbound: releaseLostOf("outbound") };

export function releaseLost(database: Database): WorkerQueues["releaseLost"] {
  return async (holder, queues) => {
    for (const direction of ["inbound", "outbound"] as const) {
      const lost = queues.filter((queue) => queue.direction === direction).map((queue) => ({ ...queue, holder }));
      if (lost.length > 0) await RELEASE_LOST[direction](database, lost);
    }
  };
}
