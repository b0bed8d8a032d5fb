import type { Direction } from "../../domain/message.ts";
import type { Claim, QueuedMessage, QueueKey } from "../../domain/queue.ts";
import type { WorkerQueues } from "../../domain/store.ts";
import { batchStatement } from "../database/batch-statement.ts";
import type { Database } from "../database/database.ts";
import { inBatches } from "../database/in-batches.ts";
import { type ClaimRow, messagesBehind, QUEUED_MESSAGE, queueColumns, SOON, toClaims, toQueuedMessage } from "./claim-rows.ts";

/** Claims a queue of `conversations c` for `holder` until the lease ends. */
export const toClaimed = (direction: Direction, holder: string, leaseMs: string): string => `
  ${direction}_holder = ${holder}, ${direction}_claim = c.${direction}_claim + 1,
  ${direction}_due_at = now() + ${leaseMs} * interval '1 millisecond'`;

type DueRow = Parameters<WorkerQueues["claimDue"]>[0] & { accountId: string | null; room: number | null };

/**
 * Each account is asked for its own due queues, the longest due first, so that neither waiting queues of another account stand before
 * them nor have to be read. Where they are more than `queuesMax`, the accounts take turns. A locked row is skipped, not awaited.
 *
 * The cursor is read from the locked row, the messages from the statement's snapshot: a message that was settled in between is behind the
 * cursor already, and one that was stored in between is found by `next`.
 */
const claimDueOf = (direction: Direction) =>
  batchStatement<DueRow>(
    {
      account_id: ["text", ({ accountId }) => accountId],
      room: ["int4", ({ room }) => room],
      room_of_each: ["int4", ({ roomOfEach }) => roomOfEach],
      queues_max: ["int4", ({ queuesMax }) => queuesMax],
      messages_max: ["int4", ({ messagesMax }) => messagesMax],
      lease_ms: ["int4", ({ leaseMs }) => leaseMs],
      holder: ["text", ({ holder }) => holder],
    },
    (given) => `
    WITH given AS (
      SELECT * FROM ${given} g
    ), asked AS (
      SELECT queues_max, messages_max, lease_ms, holder FROM given LIMIT 1
    ), due AS (
      SELECT c.id, c.due_at, row_number() OVER (PARTITION BY share.account_id ORDER BY c.due_at) AS turn
      FROM (
        SELECT a.id AS account_id, COALESCE(
          (SELECT room FROM given WHERE account_id = a.id LIMIT 1), (SELECT room_of_each FROM given LIMIT 1)) AS room
        FROM accounts a
      ) share CROSS JOIN LATERAL (
        SELECT id, ${direction}_due_at AS due_at FROM conversations
        WHERE account_id = share.account_id AND ${direction}_due_at <= ${SOON}
        ORDER BY ${direction}_due_at LIMIT share.room FOR NO KEY UPDATE SKIP LOCKED
      ) c
    ), q AS (
      UPDATE conversations c SET ${toClaimed(direction, "(SELECT holder FROM asked)", "(SELECT lease_ms FROM asked)")}
      WHERE c.id = ANY (ARRAY(SELECT id FROM due ORDER BY turn, due_at LIMIT (SELECT queues_max FROM asked)))
      RETURNING ${queueColumns(direction)}
    )
    SELECT q.*, ${QUEUED_MESSAGE} FROM q ${messagesBehind(direction, "(SELECT messages_max FROM asked)")} ORDER BY q.id, m.place`,
  );

const CLAIM_DUE = { inbound: claimDueOf("inbound"), outbound: claimDueOf("outbound") };

export const claimDue =
  (database: Database): WorkerQueues["claimDue"] =>
  async (asked) => {
    const rows = [...asked.rooms, { accountId: null, room: null }].map((room) => ({ ...asked, ...room }));
    return toClaims(await CLAIM_DUE[asked.direction]<ClaimRow>(database, rows));
  };

type Asked = QueueKey & Parameters<WorkerQueues["claimQueue"]>[1];

/** As many as one account's direction may have at once. */
const QUEUES_MAX = 64;

/** A slow statement must not hold up the claims of all other queues. */
const STALLED_AFTER_MS = 250;

/** A locked row is skipped, not awaited: every write to a queue is followed by a claim of it. */
const claimQueuesOf = (direction: Direction) =>
  batchStatement<Asked>(
    {
      conversation_id: ["text", ({ conversationId }) => conversationId],
      holder: ["text", ({ holder }) => holder],
      messages_max: ["int4", ({ messagesMax }) => messagesMax],
      lease_ms: ["int4", ({ leaseMs }) => leaseMs],
    },
    (given) => `
    WITH due AS (
      SELECT g.*
      FROM ${given} g JOIN LATERAL (
        -- COALESCE keeps the index of due queues out of it: through that one it would read all queues that wait for a worker.
        SELECT id FROM conversations WHERE id = g.conversation_id AND COALESCE(${direction}_due_at <= ${SOON}, false)
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
      ) c ON c.id = g.conversation_id
    ), q AS (
      UPDATE conversations c SET ${toClaimed(direction, "due.holder", "due.lease_ms")}
      FROM due WHERE c.id = due.conversation_id
      RETURNING due.messages_max, ${queueColumns(direction)}
    )
    SELECT q.*, ${QUEUED_MESSAGE} FROM q ${messagesBehind(direction, "q.messages_max")} ORDER BY q.id, m.place`,
  );

export function claimQueue(database: Database): WorkerQueues["claimQueue"] {
  const claimIn = (direction: Direction) => {
    const claim = claimQueuesOf(direction);
    return inBatches(
      async (asked: readonly Asked[]): Promise<(Claim | null)[]> => {
        const claims = new Map(toClaims(await claim<ClaimRow>(database, asked)).map((each) => [each.conversationId, each]));
        return asked.map(({ conversationId }) => claims.get(conversationId) ?? null);
      },
      {
        sizeMax: QUEUES_MAX,
        stalledAfterMs: STALLED_AFTER_MS,
        isWorthSplitting: () => false,
        keyOf: ({ conversationId }) => conversationId,
      },
    );
  };
  const claims = { inbound: claimIn("inbound"), outbound: claimIn("outbound") };
  return ({ conversationId, direction }, options) => claims[direction]({ conversationId, direction, ...options });
}

const nextOf = (direction: Direction) => `
  SELECT q.*, ${QUEUED_MESSAGE}
  FROM (SELECT ${queueColumns(direction)} FROM conversations c WHERE c.id = $1) q ${messagesBehind(direction, "$3::int")}
  WHERE m.place > $2::bigint ORDER BY m.place`;

const NEXT = { inbound: nextOf("inbound"), outbound: nextOf("outbound") };

export const next =
  (database: Database): WorkerQueues["next"] =>
  async ({ conversationId, direction }, place, messagesMax): Promise<QueuedMessage[]> => {
    const rows = await database.query<ClaimRow>(NEXT[direction], [conversationId, place, messagesMax]);
    return rows.map(toQueuedMessage);
  };
