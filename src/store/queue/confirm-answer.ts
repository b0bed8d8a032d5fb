import type { OutboxStore } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { readDatabaseNow } from "../database/database-now.ts";
import { toAnswer } from "./claim-for-callback.ts";

/**
 * WeChat has now taken an answer that was begun earlier, perhaps by a process that is no more. Either its entry is still there,
 * begun, under some holder's claim: then it is settled here and that holder is fenced off. Or it was already given up as
 * uncertain: then it turns out to be sent. Done twice, it changes nothing.
 */
export const confirmAnswer: (prisma: PrismaClient) => OutboxStore["confirmAnswer"] = (prisma) => async (inboundId) => {
  await prisma.$transaction(async (tx) => {
    const inbound = await tx.message.findUnique({ where: { id: inboundId } });
    const answer = toAnswer(inbound?.answer);
    if (inbound === null || answer === null) return;
    const lane = { conversationId: inbound.conversationId, direction: "outbound" };
    await tx.$queryRaw`SELECT id FROM conversations WHERE id = ${lane.conversationId} FOR NO KEY UPDATE`;
    await tx.$queryRaw`SELECT due_at FROM outbox_lanes WHERE conversation_id = ${lane.conversationId} AND direction = ${lane.direction} FOR NO KEY UPDATE`;

    const isFinished = answer.progress === undefined;
    const begun = { messageId: { in: answer.messageIds }, begunWay: "passive" };
    const { count } = isFinished
      ? await tx.outboxEntry.deleteMany({ where: begun })
      : await tx.outboxEntry.updateMany({
          where: { ...begun, progress: { lt: answer.progress ?? 0 } },
          data: { progress: answer.progress ?? 0, begunAt: null, begunWay: null },
        });
    const gone = isFinished ? count : 0;
    if (count > 0) {
      await tx.$executeRaw`
        UPDATE outbox_lanes SET pending = pending - ${gone}::int, holder = NULL, claim_number = claim_number + 1,
          due_at = CASE WHEN pending - ${gone}::int > 0 THEN now() END
        WHERE conversation_id = ${lane.conversationId} AND direction = ${lane.direction}`;
    }
    if (!isFinished) return;
    const now = await readDatabaseNow(tx);
    const { count: turned } = await tx.message.updateMany({
      where: { id: { in: answer.messageIds }, state: { not: "sent" } },
      data: { state: "sent", way: "passive", error: null, errorCode: null, settledAt: now },
    });
    if (turned > 0) await tx.conversation.update({ where: { id: inbound.conversationId }, data: { lastReplyAt: now } });
  });
};
