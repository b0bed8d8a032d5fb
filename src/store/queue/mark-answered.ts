import type { OutboundStore } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { BATCH_OPTIONS } from "../database/batch-options.ts";
import { inBatches } from "../database/in-batches.ts";
import { toRowsParameter } from "../database/rows-parameter.ts";

type AnsweredPush = Parameters<OutboundStore["markAnswered"]>[0];

/** Pushes that are answered while the last statement is under way are marked with the next one. */
export const markAnswered: (prisma: PrismaClient) => OutboundStore["markAnswered"] = (prisma) =>
  inBatches((pushes: readonly AnsweredPush[]) => markAll(prisma, pushes), {
    ...BATCH_OPTIONS,
    keyOf: ({ conversationId }) => conversationId,
  });

/**
 * Marks the last push of each conversation as answered, if it is still the one with these replies. Locks conversations in the order of
 * ids, as every statement of the store does, and looks each up by its key even with a cached generic plan.
 */
async function markAll(prisma: PrismaClient, pushes: readonly AnsweredPush[]): Promise<undefined[]> {
  const rows = pushes.map(({ conversationId, messageIds }) => ({ conversation_id: conversationId, message_ids: messageIds }));
  await prisma.$executeRaw`
    WITH given AS (
      SELECT * FROM json_to_recordset(${toRowsParameter(rows)}::json) AS t(conversation_id text, message_ids text[])
    ), last AS (
      SELECT given.conversation_id
      FROM (SELECT * FROM given ORDER BY conversation_id) given
      CROSS JOIN LATERAL (
        SELECT push_message_ids, push_answered_at FROM conversations WHERE id = given.conversation_id LIMIT 1 FOR NO KEY UPDATE
      ) c
      WHERE c.push_message_ids && given.message_ids AND c.push_answered_at IS NULL
    )
    UPDATE conversations c SET push_answered_at = now() FROM last WHERE c.id = last.conversation_id`;
  return pushes.map(() => undefined);
}
