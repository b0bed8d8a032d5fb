import type { Way } from "../../domain/message.ts";
import type { Answer, Claim, QueuedMessage } from "../../domain/queue.ts";
import type { BeginSending, CallbackQueue } from "../../domain/store.ts";
import { batchStatement } from "../database/batch-statement.ts";
import type { Database } from "../database/database.ts";
import { inStatements } from "../database/in-statements.ts";
import { CLAIM_COLUMNS, fence, locked } from "./claim-rows.ts";

interface Begin {
  claim: Claim;
  messages: readonly QueuedMessage[];
  way: Way;
  leaseMs: number;
  answers: { inboundId: string; answer: Answer } | undefined;
}

/**
 * The mark that makes a crash honest: messages that were begun and never settled may or may not have reached the customer. For a passive
 * reply the callback's answer is written in the same statement; a callback that already has one begins nothing.
 */
const markBegun = batchStatement<Begin>(
  {
    ...CLAIM_COLUMNS,
    place: ["int8", ({ messages }) => messages[0]?.place],
    count: ["int4", ({ messages }) => messages.length],
    way: ["text", ({ way }) => way],
    lease_ms: ["int4", ({ leaseMs }) => leaseMs],
    inbound_id: ["text", ({ answers }) => answers?.inboundId],
    answer: ["jsonb", ({ answers }) => answers?.answer],
    answer_message_id: ["text", ({ answers, messages }) => answers && messages[0]?.message.id],
  },
  (given) => `
    WITH claim AS (
      SELECT g.* FROM ${locked(given)}
      WHERE ${fence("outbound")}
        AND (g.inbound_id IS NULL OR (SELECT m.answer IS NULL FROM messages m WHERE m.id = g.inbound_id))
    ), conversation AS (
      UPDATE conversations c SET
        outbound_begun = o.count, outbound_begun_at = now(), outbound_begun_way = o.way,
        outbound_due_at = CASE WHEN c.outbound_due_at IS NOT NULL THEN now() + o.lease_ms * interval '1 millisecond' END
      FROM claim o WHERE c.id = o.conversation_id
      RETURNING o.*
    ), callback AS (
      UPDATE messages m SET answer = o.answer, answer_message_id = o.answer_message_id FROM conversation o WHERE m.id = o.inbound_id
    )
    SELECT position FROM conversation`,
);

export function begin(database: Database): BeginSending {
  const mark = inStatements<Begin, { position: number }>(database, markBegun, ({ claim }) => claim.conversationId);
  return async (claim, messages, way, leaseMs, answers) => (await mark({ claim, messages, way, leaseMs, answers })).length > 0;
}

/**
 * WeChat has now taken an answer that was begun earlier, perhaps by a process that is no more. Either its messages are still the head of
 * their queue, begun, under some claim: then they are settled here and that holder is fenced off. Or they were already given up as
 * uncertain: then they turn out to be sent. Done twice, it changes nothing.
 */
export function confirmAnswer(database: Database): CallbackQueue["confirmAnswer"] {
  return async (inboundId) => void (await database.query(CONFIRM, [inboundId]));
}

const CONFIRM = `
  WITH inbound AS (
    SELECT m.conversation_id, ARRAY(SELECT jsonb_array_elements_text(m.answer -> 'messageIds')) AS message_ids, (m.answer ->> 'progress')::int AS progress
    FROM messages m WHERE m.id = $1 AND m.answer IS NOT NULL
  ), answer AS (
    SELECT i.*, i.progress IS NULL AS is_whole, c.outbound_done + cardinality(i.message_ids) AS to_place, c.outbound_begun_way = 'passive'
      AND COALESCE(i.progress > c.outbound_progress, true) AND EXISTS (
        SELECT FROM messages m WHERE m.id = i.message_ids[1] AND m.place = c.outbound_done + 1
      ) AS is_begun
    FROM inbound i CROSS JOIN LATERAL (SELECT * FROM conversations c WHERE c.id = i.conversation_id LIMIT 1 FOR NO KEY UPDATE) c
  ), message AS (
    UPDATE messages m SET state = 'sent', way = 'passive', error = NULL, error_code = NULL, settled_at = now()
    FROM answer a CROSS JOIN LATERAL (
      -- Looked up one by one, and said to be few: a plan that is made for new tables would read all messages.
      SELECT f.id FROM unnest(a.message_ids) given(id) JOIN LATERAL (SELECT id FROM messages WHERE id = given.id LIMIT 1) f ON f.id = given.id
    ) said
    WHERE m.id = said.id AND a.is_whole AND m.state IS DISTINCT FROM 'sent'
      AND (a.is_begun OR m.state IS NOT NULL)
    RETURNING m.conversation_id
  )
  UPDATE conversations c SET
    outbound_done = CASE WHEN a.is_begun AND a.is_whole THEN a.to_place ELSE c.outbound_done END,
    outbound_progress = CASE WHEN a.is_begun THEN COALESCE(a.progress, 0) ELSE c.outbound_progress END,
    outbound_begun = CASE WHEN a.is_begun THEN 0 ELSE c.outbound_begun END,
    outbound_begun_at = CASE WHEN a.is_begun THEN NULL ELSE c.outbound_begun_at END,
    outbound_begun_way = CASE WHEN a.is_begun THEN NULL ELSE c.outbound_begun_way END,
    outbound_failures = CASE WHEN a.is_begun THEN 0 ELSE c.outbound_failures END,
    outbound_holder = CASE WHEN a.is_begun THEN NULL ELSE c.outbound_holder END,
    outbound_claim = c.outbound_claim + a.is_begun::int,
    outbound_due_at = CASE
      WHEN NOT a.is_begun THEN c.outbound_due_at
      WHEN NOT a.is_whole OR c.outbound_last > a.to_place THEN now() END,
    outbound_held_code = CASE WHEN a.is_begun AND a.is_whole AND c.outbound_last = a.to_place THEN NULL ELSE c.outbound_held_code END,
    outbound_held = CASE WHEN a.is_begun AND a.is_whole AND c.outbound_last = a.to_place THEN NULL ELSE c.outbound_held END,
    last_reply_at = CASE WHEN EXISTS (SELECT FROM message) THEN now() ELSE c.last_reply_at END,
    updated_at = CASE WHEN EXISTS (SELECT FROM message) THEN now() ELSE c.updated_at END,
    active_at = CASE WHEN c.active_at < now() - interval '10 seconds' THEN now() ELSE c.active_at END
  FROM answer a WHERE c.id = a.conversation_id AND (a.is_begun OR EXISTS (SELECT FROM message))`;
