import type { PrismaClient } from "../../generated/prisma/client.ts";
import { SOON } from "./claim.ts";
import type { Settle, Written } from "./write-settles.ts";

/**
 * What this very settle has written before, when its answer got lost; null when it never has, or when the claim that it was to keep
 * has passed to another holder. Its attempt tells: nobody else wrote one with that number and that beginning.
 */
export async function findSettled(prisma: PrismaClient, { claim, entry, settlement, keepForMs }: Settle): Promise<Written | null> {
  const { conversationId, direction, holder, claimNumber } = claim;
  const { outcome, attempt, notice } = settlement;
  const [row] = await prisma.$queryRaw<{ notice_enqueued: boolean; more_due: boolean; claim_number: bigint }[]>`
    SELECT EXISTS (SELECT FROM messages WHERE id = ${notice?.messageId ?? null}) AS notice_enqueued,
           COALESCE(l.holder IS NULL AND l.due_at <= ${SOON}, false) AS more_due, l.claim_number
    FROM attempts a, outbox_lanes l
    WHERE a.message_id = ${entry.message.id} AND a.number = ${entry.message.attempts + 1}::int
      AND a.started_at = ${attempt.startedAt}::timestamptz(3) AND a.outcome = ${outcome.kind}
      AND l.conversation_id = ${conversationId} AND l.direction = ${direction}
      AND (${keepForMs === null} OR (l.holder = ${holder} AND l.claim_number = ${claimNumber}::bigint + 1))`;
  if (row === undefined) return null;
  const { notice_enqueued: noticeEnqueued, more_due: moreDue, claim_number } = row;
  return { noticeEnqueued, noticeHeld: noticeEnqueued, moreDue, claimNumber: String(claim_number) };
}
