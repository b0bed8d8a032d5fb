import type { DeskStatus } from "../../domain/conversation.ts";
import type { InboundState } from "../../domain/message.ts";
import type { Answer } from "../../domain/queue.ts";
import type { CallbackProspect, CallbackQueue } from "../../domain/store.ts";
import { batchStatement } from "../database/batch-statement.ts";
import type { Database } from "../database/database.ts";
import { inStatements } from "../database/in-statements.ts";
import { ASKED_COLUMNS, claimFound } from "./claim-queues.ts";
import { type ClaimRow, SOON, toClaims } from "./claim-rows.ts";

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

/** The answer `of` is the head of the queue `c`, begun and not yet settled. */
const isBegun = (of: string): string => `
  c.outbound_begun_way = 'passive' AND c.outbound_done + 1 = ${of}.answer_place
  AND c.outbound_progress < COALESCE(${of}.answer_progress, c.outbound_progress + 1)`;

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
    ...ASKED_COLUMNS,
    conversation_id: ["text", ({ conversationId }) => conversationId],
    message_id: ["text", ({ messageId }) => messageId],
  },
  (given) => `
    WITH inbound AS (
      SELECT g.*, m.state, m.answer, m.answer_progress, m.answer_place, c.status, c.is_desk_away,
        COALESCE(${isBegun("m")}, false) AS is_answer_begun
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
    ), found AS (
      SELECT i.*,
        -- Not the moment at which an open callback ends: that one is known by itself.
        CASE WHEN c.outbound_due_at > now() AND c.outbound_holder IS NULL AND c.outbound_due_at <> ALL (c.open_callbacks)
          THEN c.outbound_due_at END AS paused_until
      FROM (SELECT * FROM inbound ORDER BY conversation_id) i JOIN LATERAL (
        SELECT * FROM conversations c
        WHERE c.id = i.conversation_id AND CASE
          WHEN i.answer IS NULL THEN c.outbound_last > c.outbound_done AND (c.outbound_holder IS NULL OR COALESCE(c.outbound_due_at <= ${SOON}, false))
          ELSE i.is_answer_begun AND ${isBegun("i")} END
        LIMIT 1 FOR NO KEY UPDATE
      ) c ON c.id = i.conversation_id
    ), ${claimFound("outbound")}
    SELECT claimed.*, i.position, i.state AS inbound_state, i.status AS desk_status, i.is_desk_away,
      CASE WHEN NOT i.is_answer_begun OR i.position IN (SELECT position FROM q) THEN i.answer END AS inbound_answer,
      i.is_answer_begun AND i.position NOT IN (SELECT position FROM q) AS has_moved
    FROM inbound i LEFT JOIN claimed ON claimed.position = i.position AND NOT i.is_answer_begun ORDER BY claimed.place::bigint`,
);

export function claimForCallback(database: Database): CallbackQueue["claimForCallback"] {
  const look = inStatements<Look, ProspectRow>(database, claimForCallbacks, ({ conversationId }) => conversationId);
  return async (callback) => {
    for (let run = 1; ; run++) {
      const rows = await look(callback);
      if (!rows[0]?.has_moved || run === RUNS_MAX) return toProspect(rows);
    }
  };
}

function toProspect(rows: ProspectRow[]): CallbackProspect {
  const [row] = rows;
  return {
    answer: toAnswer(row?.inbound_answer),
    claim: toClaims(rows.filter(isClaimRow))[0] ?? null,
    messageState: (row?.inbound_state ?? "received") as InboundState,
    status: (row?.desk_status ?? "unknown") as DeskStatus,
    isDeskAway: row?.is_desk_away ?? false,
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
