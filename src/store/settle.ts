import { inBatches } from "../domain/in-batches.ts";
import type { OutboxStore, Settled } from "../domain/store.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";
import { isConnectionLost } from "./database.ts";
import { findSettled } from "./find-settled.ts";
import { holdLatecomers } from "./hold-latecomers.ts";
import { type Settle, type Written, writeSettles } from "./write-settles.ts";

/** Enough to take what ends while one statement is under way. */
const SIZE_MAX = 100;

/** A statement that waits for a lock must not hold up every other lane. */
const STALLED_AFTER_MS = 250;

/** What ends while the last statement is under way is settled with the next one. */
export const settle: (prisma: PrismaClient) => OutboxStore["settle"] = (prisma) => {
  const write = inBatches((settles: readonly Settle[]) => writeSettles(prisma, settles), {
    sizeMax: SIZE_MAX,
    stalledAfterMs: STALLED_AFTER_MS,
    // A database that is away is away for each of them.
    isWorthSplitting: (error) => !isConnectionLost(error),
    // The second of two lanes would not see what the first has written to their conversation.
    keyOf: ({ claim }) => claim.conversationId,
  });
  return async (claim, entry, settlement, { keepForMs }) => {
    const settle = { claim, entry, settlement, keepForMs };
    const written = (await write(settle)) ?? (await findSettled(prisma, settle));
    return written === null ? null : endSettle(prisma, settle, written);
  };
};

async function endSettle(prisma: PrismaClient, { claim, settlement }: Settle, written: Written): Promise<Settled> {
  const { noticeHeld, ...settled } = written;
  if (noticeHeld || settlement.next.kind === "held") await holdLatecomers(prisma, claim);
  return settled;
}
