import { inBatches } from "../domain/in-batches.ts";
import type { LaneKey } from "../domain/outbox.ts";
import type { OutboxStore } from "../domain/store.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";
import type { Database } from "./database.ts";

/** One channel for all lanes: the payload says which. */
export const LANES_CHANNEL = "wxdesk_lanes";

const LANES_MAX = 200;

/** A statement that stands still must not hold up every other announcement. */
const STALLED_AFTER_MS = 250;

/** An embedded database has no other processes to tell. */
export function announce({ prisma, isExclusive }: Database): OutboxStore["announce"] {
  const announceOne = inBatches((lanes: readonly LaneKey[]) => announceAll(prisma, lanes), {
    sizeMax: LANES_MAX,
    stalledAfterMs: STALLED_AFTER_MS,
    isWorthSplitting: () => false,
  });
  return async ({ conversationId, direction }) => {
    if (!isExclusive) await announceOne({ conversationId, direction });
  };
}

async function announceAll(prisma: PrismaClient, lanes: readonly LaneKey[]): Promise<unknown[]> {
  const payloads = lanes.map(({ conversationId, direction }) => `${direction} ${conversationId}`);
  await prisma.$executeRaw`SELECT pg_notify(${LANES_CHANNEL}, payload) FROM unnest(${payloads}::text[]) payload`;
  return payloads;
}

/** Null for a payload that is not one of ours. */
export function toLane(payload: string | undefined): LaneKey | null {
  const [direction, conversationId] = payload?.split(" ") ?? [];
  if ((direction !== "inbound" && direction !== "outbound") || !conversationId) return null;
  return { direction, conversationId };
}
