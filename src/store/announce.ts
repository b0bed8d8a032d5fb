import type { LaneKey } from "../domain/outbox.ts";
import type { OutboxStore } from "../domain/store.ts";
import type { Database } from "./database.ts";

/** One channel for all lanes: the payload says which. */
export const LANES_CHANNEL = "wxdesk_lanes";

/** An embedded database has no other processes to tell. */
export function announce({ prisma, isExclusive }: Database): OutboxStore["announce"] {
  return async (lane) => {
    if (isExclusive) return;
    await prisma.$executeRaw`SELECT pg_notify(${LANES_CHANNEL}, ${`${lane.direction} ${lane.conversationId}`})`;
  };
}

/** Null for a payload that is not one of ours. */
export function toLane(payload: string | undefined): LaneKey | null {
  const [direction, conversationId] = payload?.split(" ") ?? [];
  if ((direction !== "inbound" && direction !== "outbound") || !conversationId) return null;
  return { direction, conversationId };
}
