import type { OutboxStore, Settled } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { BATCH_OPTIONS } from "../database/batch-options.ts";
import { inBatches } from "../database/in-batches.ts";
import { findSettled } from "./find-settled.ts";
import { holdLatecomers } from "./hold-latecomers.ts";
import { type Settle, type Written, writeSettles } from "./write-settles.ts";

/** What ends while the last statement is under way is settled with the next one. */
export const settle: (prisma: PrismaClient) => OutboxStore["settle"] = (prisma) => {
  const write = inBatches((settles: readonly Settle[]) => writeSettles(prisma, settles), {
    ...BATCH_OPTIONS,
    // A statement can write a row only once: a conversation with both its lanes takes two.
    keyOf: ({ claim }) => claim.conversationId,
  });
  return async (claim, entry, settlement, { keepForMs }) => {
    const given = { claim, entry, settlement, keepForMs };
    const written = (await write(given)) ?? (await findSettled(prisma, given));
    return written === null ? null : endSettle(prisma, given, written);
  };
};

async function endSettle(prisma: PrismaClient, { claim, settlement }: Settle, written: Written): Promise<Settled> {
  const { noticeHeld, ...settled } = written;
  if (noticeHeld || settlement.next.kind === "held") await holdLatecomers(prisma, claim);
  return settled;
}
