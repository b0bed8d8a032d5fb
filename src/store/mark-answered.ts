import type { OutboundStore } from "../domain/store.ts";
import { batchStatement } from "./database/batch-statement.ts";
import type { Database } from "./database/database.ts";
import { inStatements } from "./database/in-statements.ts";
import { locked } from "./queue/claim-rows.ts";

type AnsweredPush = Parameters<OutboundStore["markAnswered"]>[0];

/** Marks the last push of each conversation as answered, if it is still the one with these replies. */
const markAll = batchStatement<AnsweredPush>(
  {
    conversation_id: ["text", ({ conversationId }) => conversationId],
    message_ids: ["jsonb", ({ messageIds }) => messageIds],
  },
  (given) => `
    WITH last AS (
      SELECT c.id FROM ${locked(given)}
      WHERE c.push_message_ids && ARRAY(SELECT jsonb_array_elements_text(g.message_ids)) AND c.push_answered_at IS NULL
    )
    UPDATE conversations c SET push_answered_at = now() FROM last WHERE c.id = last.id`,
);

export function markAnswered(database: Database): OutboundStore["markAnswered"] {
  const mark = inStatements<AnsweredPush, { position: number }>(database, markAll, ({ conversationId }) => conversationId);
  return async (push) => void (await mark(push));
}
