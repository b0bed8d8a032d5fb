import type { Way } from "../../domain/message.ts";
import type { Answer, Claim, QueuedMessage } from "../../domain/queue.ts";
import type { BeginSending } from "../../domain/store.ts";
import { batchStatement } from "../database/batch-statement.ts";
import type { Database } from "../database/database.ts";
import { inStatements } from "../database/in-statements.ts";

interface Begin {
  claim: Claim;
  messages: readonly QueuedMessage[];
  way: Way;
  leaseMs: number;
  answers: { inboundId: string; answer: Answer } | undefined;
}

/**
 * The mark that makes a crash honest: messages that were begun and never settled may or may not have reached the customer. For a passive
 * reply the callback's answer is written in the same statement; a callback that already has one begins nothing. The fence and the locks
 * are those of a settle (settle-inbound.ts).
 */
const markBegun = batchStatement<Begin>(
  {
    conversation_id: ["text", ({ claim }) => claim.conversationId],
    holder: ["text", ({ claim }) => claim.holder],
    claim_number: ["int8", ({ claim }) => claim.claimNumber],
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
      SELECT g.*
      FROM (SELECT * FROM ${given} g ORDER BY conversation_id) g
      CROSS JOIN LATERAL (SELECT * FROM conversations c WHERE c.id = g.conversation_id LIMIT 1 FOR NO KEY UPDATE) c
      WHERE c.outbound_holder = g.holder AND c.outbound_claim = g.claim_number AND c.outbound_done = g.place - 1
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
  return async (claim, messages, way, leaseMs, answers) => (await mark({ claim, messages, way, leaseMs, answers })) !== null;
}
