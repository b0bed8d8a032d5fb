import type { DueQueue } from "../../domain/queue.ts";
import type { WorkerQueues } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import type { Database } from "../database/database.ts";
import { inBatches } from "../database/in-batches.ts";

/** One channel for all queues: the payload says which. */
export const QUEUES_CHANNEL = "wxdesk_queues";

const QUEUES_MAX = 200;

/** A slow statement must not hold up every other announcement. */
const STALLED_AFTER_MS = 250;

/** An embedded database has no other processes to tell. */
export function announce({ prisma, isExclusive }: Database): WorkerQueues["announce"] {
  const announceOne = inBatches((queues: readonly DueQueue[]) => announceAll(prisma, queues), {
    sizeMax: QUEUES_MAX,
    stalledAfterMs: STALLED_AFTER_MS,
    isWorthSplitting: () => false,
  });
  return async (queue) => {
    if (!isExclusive) await announceOne(queue);
  };
}

async function announceAll(prisma: PrismaClient, queues: readonly DueQueue[]): Promise<unknown[]> {
  const payloads = queues.map(({ direction, accountId, conversationId }) => `${direction} ${accountId} ${conversationId}`);
  await prisma.$executeRaw`SELECT pg_notify(${QUEUES_CHANNEL}, payload) FROM unnest(${payloads}::text[]) payload`;
  return payloads;
}

/** Null for a payload that is not one of ours. */
export function toQueue(payload: string | undefined): DueQueue | null {
  const [direction, accountId, conversationId] = payload?.split(" ") ?? [];
  if ((direction !== "inbound" && direction !== "outbound") || !accountId || !conversationId) return null;
  return { direction, accountId, conversationId };
}
