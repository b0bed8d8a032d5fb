import type { OutboxStore } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { dueUntried } from "./release.ts";

/** Changes nothing when the lane has passed to another holder: then the answer may have been given by a repetition of the callback. */
export const withdraw: (prisma: PrismaClient) => OutboxStore["withdraw"] = (prisma) => async (claim, inboundId) => {
  await prisma.$executeRaw`
    WITH conversation AS (
      SELECT id FROM conversations WHERE id = ${claim.conversationId} FOR NO KEY UPDATE
    ), lane AS (
      UPDATE outbox_lanes l SET holder = NULL, due_at = ${dueUntried(claim)}
      FROM conversation
      WHERE l.conversation_id = conversation.id AND l.direction = ${claim.direction}
        AND l.holder = ${claim.holder} AND l.claim_number = ${claim.claimNumber}::bigint
      RETURNING l.conversation_id, l.direction
    ), callback AS (
      UPDATE messages m SET answer = NULL, answer_message_id = NULL FROM lane WHERE m.id = ${inboundId}
    )
    UPDATE outbox_entries e SET begun_at = NULL, begun_way = NULL FROM lane
    WHERE e.conversation_id = lane.conversation_id AND e.direction = lane.direction`;
};
