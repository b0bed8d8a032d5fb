import type { Direction } from "../../domain/message.ts";
import type { QueuedMessage } from "../../domain/queue.ts";
import type { WorkerQueues } from "../../domain/store.ts";
import { BATCH_OPTIONS } from "../database/batch-options.ts";
import { batchStatement, type Columns } from "../database/batch-statement.ts";
import type { Database } from "../database/database.ts";
import { inStatements } from "../database/in-statements.ts";
import {
  type ClaimRow,
  eachDirection,
  messagesBehind,
  QUEUED_MESSAGE,
  queueColumns,
  SOON,
  toClaims,
  toQueuedMessage,
} from "./claim-rows.ts";

type Asked = Parameters<WorkerQueues["claimQueue"]>[1];

/** How every claim is asked for. */
export const ASKED_COLUMNS = {
  holder: ["text", ({ holder }) => holder],
  messages_max: ["int4", ({ messagesMax }) => messagesMax],
  lease_ms: ["int4", ({ leaseMs }) => leaseMs],
} as const satisfies Columns<Asked>;

/** Claims each queue that the CTE `found` names until its lease ends, and reads its first messages. */
export const claimFound = (direction: Direction): string => `
  q AS (
    UPDATE conversations c SET
      ${direction}_holder = f.holder, ${direction}_claim = c.${direction}_claim + 1,
      ${direction}_due_at = now() + f.lease_ms * interval '1 millisecond'
    FROM found f WHERE c.id = f.conversation_id
    RETURNING f.position, f.messages_max, f.paused_until, ${queueColumns(direction)}
  ), claimed AS (
    SELECT q.*, ${QUEUED_MESSAGE} FROM q ${messagesBehind(direction, "q.messages_max")} ORDER BY q.id, m.place
  )`;

type DueRow = Parameters<WorkerQueues["claimDue"]>[0] & { accountId: string | null; room: number | null };

/**
 * Each account is asked for its own due queues, the longest due first, so that neither waiting queues of another account stand before
 * them nor have to be read. Where they are more than `queuesMax`, the accounts take turns. A locked row is skipped, not awaited.
 *
 * The cursor is read from the locked row, the messages from the statement's snapshot: a message that was settled in between is behind the
 * cursor already, and one that was stored in between is found by `next`.
 */
const CLAIM_DUE = eachDirection((direction) =>
  batchStatement<DueRow>(
    {
      ...ASKED_COLUMNS,
      account_id: ["text", ({ accountId }) => accountId],
      room: ["int4", ({ room }) => room],
      room_of_each: ["int4", ({ roomOfEach }) => roomOfEach],
      queues_max: ["int4", ({ queuesMax }) => queuesMax],
    },
    (given) => `
    WITH given AS (
      SELECT *, NULL::timestamptz AS paused_until FROM ${given} g
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
    ), found AS (
      SELECT due.id AS conversation_id, asked.*
      FROM (SELECT id FROM due ORDER BY turn, due_at LIMIT (SELECT queues_max FROM given LIMIT 1)) due
      -- Tells the planner that few are left to update, so that it finds them by index.
      JOIN LATERAL (SELECT id FROM conversations WHERE id = due.id LIMIT 1) c ON c.id = due.id
      CROSS JOIN (SELECT * FROM given LIMIT 1) asked
    ), ${claimFound(direction)}
    SELECT * FROM claimed`,
  ),
);

export const claimDue =
  (database: Database): WorkerQueues["claimDue"] =>
  async (asked) => {
    const rows = [...asked.rooms, { accountId: null, room: null }].map((room) => ({ ...asked, ...room }));
    return toClaims(await CLAIM_DUE[asked.direction]<ClaimRow>(database, rows));
  };

type AskedQueue = Asked & { conversationId: string };

/** As many as one account's direction may have at once. */
const QUEUES_MAX = 64;

/** A locked row is skipped, not awaited: every write to a queue is followed by a claim of it. */
const CLAIM_QUEUES = eachDirection((direction) =>
  batchStatement<AskedQueue>(
    { ...ASKED_COLUMNS, conversation_id: ["text", ({ conversationId }) => conversationId] },
    (given) => `
    WITH found AS (
      SELECT g.*, NULL::timestamptz AS paused_until
      FROM ${given} g JOIN LATERAL (
        -- COALESCE keeps the index of due queues out of it: through that one it would read all queues that wait for a worker.
        SELECT id FROM conversations WHERE id = g.conversation_id AND COALESCE(${direction}_due_at <= ${SOON}, false)
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
      ) c ON c.id = g.conversation_id
    ), ${claimFound(direction)}
    SELECT * FROM claimed`,
  ),
);

export function claimQueue(database: Database): WorkerQueues["claimQueue"] {
  const conversationOf = ({ conversationId }: AskedQueue) => conversationId;
  const options = { ...BATCH_OPTIONS, sizeMax: QUEUES_MAX, isWorthSplitting: () => false };
  const claims = eachDirection((of) => inStatements<AskedQueue, ClaimRow>(database, CLAIM_QUEUES[of], conversationOf, options));
  return async ({ conversationId, direction }, asked) => toClaims(await claims[direction]({ conversationId, ...asked }))[0] ?? null;
}

const NEXT = eachDirection(
  (direction) => `
  SELECT q.*, ${QUEUED_MESSAGE}
  FROM (SELECT ${queueColumns(direction)} FROM conversations c WHERE c.id = $1) q ${messagesBehind(direction, "$3::int")}
  WHERE m.place > $2::bigint ORDER BY m.place`,
);

export const next =
  (database: Database): WorkerQueues["next"] =>
  async ({ conversationId, direction }, place, messagesMax): Promise<QueuedMessage[]> => {
    const rows = await database.query<ClaimRow>(NEXT[direction], [conversationId, place, messagesMax]);
    return rows.map(toQueuedMessage);
  };
