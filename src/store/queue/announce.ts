import type { DueLane } from "../../domain/outbox.ts";
import type { OutboxStore } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import type { Database } from "../database/database.ts";
import { inBatches } from "../database/in-batches.ts";

/** One channel for all lanes: the payload says which. */
export const LANES_CHANNEL = "wxdesk_lanes";

const LANES_MAX = 200;

/** A statement that stands still must not hold up every other announcement. */
const STALLED_AFTER_MS = 250;

/** An embedded database has no other processes to tell. */
export function announce({ prisma, isExclusive }: Database): OutboxStore["announce"] {
  const announceOne = inBatches((lanes: readonly DueLane[]) => announceAll(prisma, lanes), {
    sizeMax: LANES_MAX,
    stalledAfterMs: STALLED_AFTER_MS,
    isWorthSplitting: () => false,
  });
  return async (lane) => {
    if (!isExclusive) await announceOne(lane);
  };
}

async function announceAll(prisma: PrismaClient, lanes: readonly DueLane[]): Promise<unknown[]> {
  const payloads = lanes.map(({ direction, accountId, conversationId }) => `${direction} ${accountId} ${conversationId}`);
  await prisma.$executeRaw`SELECT pg_notify(${LANES_CHANNEL}, payload) FROM unnest(${payloads}::text[]) payload`;
  return payloads;
}

/** Null for a payload that is not one of ours. */
export function toLane(payload: string | undefined): DueLane | null {
  const [direction, accountId, conversationId] = payload?.split(" ") ?? [];
  if ((direction !== "inbound" && direction !== "outbound") || !accountId || !conversationId) return null;
  return { direction, accountId, conversationId };
}
