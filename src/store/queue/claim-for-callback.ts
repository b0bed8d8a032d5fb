import type { DeskStatus } from "../../domain/conversation.ts";
import type { InboundState } from "../../domain/message.ts";
import type { Answer } from "../../domain/queue.ts";
import type { CallbackProspect, CallbackQueue } from "../../domain/store.ts";
import { BATCH_OPTIONS } from "../database/batch-options.ts";
import { batchStatement } from "../database/batch-statement.ts";
import type { Database } from "../database/database.ts";
import { inBatches } from "../database/in-batches.ts";
import { toClaimed } from "./claim-queues.ts";
import { type ClaimRow, messagesBehind, QUEUED_MESSAGE, queueColumns, SOON, toClaims } from "./claim-rows.ts";

type Look = Parameters<CallbackQueue["claimForCallback"]>[0];

interface ProspectRow extends Partial<ClaimRow> {
  position: number;
  inbound_state: string | null;
  inbound_answer: unknown;
  desk_status: string;
  is_desk_away: boolean | null;
  has_moved: boolean;
}

/** Where the answer moved between the statement's snapshot and its lock, a new snapshot tells. */
const RUNS_MAX = 3;

/**
 * Due or not: a reply that waits for open callbacks, for a pause to end or for the contact's next message may ride on this one.
 *
 * An answer that an earlier callback began and has not settled passes to this one with its claim. Otherwise the earlier one, finding
 * itself too late, could take the reply back and have it sent while this one repeats it.
 *
 * A locked row is awaited, in the order of ids as everywhere: the settle of the very message whose callback asks may hold it. All that can
 * have moved meanwhile is compared with the locked row; that the callback has no answer yet is compared once more by `begin`.
 */
const claimForCallbacks = batchStatement<Look>(
  {
    conversation_id: ["text", ({ conversationId }) => conversationId],
    message_id: ["text", ({ messageId }) => messageId],
    holder: ["text", ({ holder }) => holder],
    messages_max: ["int4", ({ messagesMax }) => messagesMax],
    lease_ms: ["int4", ({ leaseMs }) => leaseMs],
  },
  (given) => `
    WITH inbound AS (
      SELECT g.*, m.state, m.answer, m.answer_progress, m.answer_place, c.status, c.is_desk_away,
        COALESCE(c.outbound_begun_way = 'passive' AND c.outbound_done + 1 = m.answer_place
          AND c.outbound_progress < COALESCE(m.answer_progress, c.outbound_progress + 1), false) AS is_answer_begun
      FROM ${given} g
      CROSS JOIN LATERAL (
        SELECT state, answer, (answer ->> 'progress')::int AS answer_progress,
          (SELECT place FROM messages a WHERE a.id = m.answer_message_id) AS answer_place
        FROM messages m WHERE id = g.message_id LIMIT 1
      ) m
      CROSS JOIN LATERAL (
        SELECT status, outbound_begun_way, outbound_done, outbound_progress, inbound_holder IS NULL AND inbound_due_at > now() AS is_desk_away
        FROM conversations WHERE id = g.conversation_id LIMIT 1
      ) c
    ), seen AS (
      SELECT i.position, i.conversation_id, i.holder, i.messages_max, i.lease_ms, i.is_answer_begun,
        -- Not the moment at which an open callback ends: that one is known by itself.
        CASE WHEN c.outbound_due_at > now() AND c.outbound_holder IS NULL AND c.outbound_due_at <> ALL (c.open_callbacks)
          THEN c.outbound_due_at END AS paused_until
      FROM (SELECT * FROM inbound ORDER BY conversation_id) i JOIN LATERAL (
        SELECT * FROM conversations c
        WHERE c.id = i.conversation_id AND CASE
          WHEN i.answer IS NULL THEN c.outbound_last > c.outbound_done AND (c.outbound_holder IS NULL OR COALESCE(c.outbound_due_at <= ${SOON}, false))
          ELSE i.is_answer_begun AND c.outbound_begun_way = 'passive' AND c.outbound_done + 1 = i.answer_place
            AND c.outbound_progress < COALESCE(i.answer_progress, c.outbound_progress + 1) END
        LIMIT 1 FOR NO KEY UPDATE
      ) c ON c.id = i.conversation_id
    ), q AS (
      UPDATE conversations c SET ${toClaimed("outbound", "seen.holder", "seen.lease_ms")}
      FROM seen WHERE c.id = seen.conversation_id
      RETURNING seen.position, seen.messages_max, seen.is_answer_begun, seen.paused_until, ${queueColumns("outbound")}
    ), claimed AS (
      SELECT q.*, ${QUEUED_MESSAGE} FROM q ${messagesBehind("outbound", "q.messages_max")} WHERE NOT q.is_answer_begun
    )
    SELECT claimed.*, i.position, i.state AS inbound_state, i.status AS desk_status, i.is_desk_away,
      CASE WHEN NOT i.is_answer_begun OR i.position IN (SELECT position FROM q) THEN i.answer END AS inbound_answer,
      i.is_answer_begun AND i.position NOT IN (SELECT position FROM q) AS has_moved
    FROM inbound i LEFT JOIN claimed ON claimed.position = i.position ORDER BY claimed.place::bigint`,
);

/** Callbacks that ask while a statement runs are batched into the next one. */
export function claimForCallback(database: Database): CallbackQueue["claimForCallback"] {
  const look = inBatches(
    async (looks: readonly Look[]) => {
      const rows = await claimForCallbacks<ProspectRow>(database, looks);
      return looks.map((_, index) => toProspect(rows.filter(({ position }) => position === index)));
    },
    // The second of a conversation finds what the first has taken.
    { ...BATCH_OPTIONS, keyOf: ({ conversationId }) => conversationId },
  );
  return async (callback) => {
    for (let run = 1; ; run++) {
      const { hasMoved, ...prospect } = await look(callback);
      if (!hasMoved || run === RUNS_MAX) return prospect;
    }
  };
}

function toProspect(rows: ProspectRow[]): CallbackProspect & { hasMoved: boolean } {
  const [row] = rows;
  if (row === undefined)
    return { answer: null, claim: null, messageState: "received", status: "unknown", isDeskAway: false, hasMoved: false };
  return {
    answer: toAnswer(row.inbound_answer),
    claim: toClaims(rows.filter(isClaimRow))[0] ?? null,
    messageState: (row.inbound_state ?? "received") as InboundState,
    status: row.desk_status as DeskStatus,
    isDeskAway: row.is_desk_away ?? false,
    hasMoved: row.has_moved,
  };
}

function isClaimRow(row: ProspectRow): row is ProspectRow & ClaimRow {
  return typeof row.id === "string";
}

/** As `begin` wrote it. */
function toAnswer(json: unknown): Answer | null {
  if (json === null || json === undefined) return null;
  const { createdAt, ...answer } = json as Omit<Answer, "createdAt"> & { createdAt: string };
  return { ...answer, createdAt: new Date(createdAt) };
}
