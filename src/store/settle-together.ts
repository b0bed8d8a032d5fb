import type { OutboxStore } from "../domain/store.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";
import { findSettled } from "./find-settled.ts";
import { settle, settleOnce } from "./settle.ts";

/** Between the settles of one transaction nobody sees the claim. */
const KEEP_MS = 1_000;

/**
 * Several entries that left with one response: all of them are settled or none, so that a crash leaves no doubt about a part of
 * what was seen as one. A transaction, but only for replies that were joined.
 */
export const settleTogether: (prisma: PrismaClient) => OutboxStore["settleTogether"] = (prisma) => async (claim, entries, settlement) => {
  const [last, ...before] = [...entries].reverse();
  if (last === undefined) return null;
  if (before.length === 0) return settle(prisma)(claim, last, settlement, { keepForMs: null });
  const settled = await prisma.$transaction(async (tx) => {
    let { claimNumber } = claim;
    for (const entry of before.reverse()) {
      const step = await settleOnce(tx, { ...claim, claimNumber }, entry, { ...settlement, callbackOpenUntil: null }, KEEP_MS);
      if (step === null) return null;
      claimNumber = step.claimNumber;
    }
    return settleOnce(tx, { ...claim, claimNumber }, last, settlement, null);
  });
  return settled ?? findSettled(prisma, claim, last, settlement, null);
};
