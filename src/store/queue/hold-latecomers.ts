import type { Claim } from "../../domain/outbox.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";

/**
 * What was enqueued while the settle waited for its locks is behind the held message too, but was not in the settle's snapshot; nor
 * may a notice that was just enqueued behind held ones look as if it could leave. First the lock, then a look that sees them.
 */
export async function holdLatecomers(prisma: PrismaClient, { conversationId }: Claim): Promise<void> {
  await prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT id FROM conversations WHERE id = ${conversationId} FOR NO KEY UPDATE`;
    await tx.$executeRaw`
      WITH waiting AS (
        SELECT e.id, e.message_id FROM outbox_entries e JOIN outbox_lanes l ON l.conversation_id = e.conversation_id AND l.direction = e.direction
        WHERE e.conversation_id = ${conversationId} AND e.direction = 'outbound' AND l.due_at IS NULL
      ), held AS (
        SELECT m.error, m.error_code FROM waiting JOIN messages m ON m.id = waiting.message_id WHERE m.state = 'held' ORDER BY waiting.id LIMIT 1
      )
      UPDATE messages m SET state = 'held', error = held.error, error_code = held.error_code
      FROM waiting, held WHERE m.id = waiting.message_id AND m.state = 'queued'`;
  });
}
