import type { OutboxStore } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { findSettled } from "./find-settled.ts";
import { type Settle, writeSettles } from "./write-settles.ts";

/** Between the settles of one transaction nobody sees the claim. */
const KEEP_MS = 1_000;

/**
 * Several entries that left with one response: all of them are settled or none, so that a crash leaves no doubt about a part of
 * what was seen as one. A transaction, but only for replies that were joined.
 */
export const settleTogether: (prisma: PrismaClient, settle: OutboxStore["settle"]) => OutboxStore["settleTogether"] =
  (prisma, settle) => async (claim, entries, settlement) => {
    const [last, ...before] = [...entries].reverse();
    if (last === undefined) return null;
    if (before.length === 0) return settle(claim, last, settlement, { keepForMs: null });
    const settled = await prisma.$transaction(async (tx) => {
      let { claimNumber } = claim;
      const settleOne = async (given: Omit<Settle, "claim">) =>
        (await writeSettles(tx, [{ ...given, claim: { ...claim, claimNumber } }]))[0];
      for (const entry of before.reverse()) {
        const step = await settleOne({ entry, settlement: { ...settlement, callbackOpenUntil: null }, keepForMs: KEEP_MS });
        if (!step) return null;
        claimNumber = step.claimNumber;
      }
      return settleOne({ entry: last, settlement, keepForMs: null });
    });
    return settled ?? findSettled(prisma, { claim, entry: last, settlement, keepForMs: null });
  };
