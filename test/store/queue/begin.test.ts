import { expect, test } from "vitest";
import type { Claim } from "../../../src/domain/outbox.ts";
import { useFlowStage } from "../../flow/stage.ts";
import { crowdOf, OPEN_IDS } from "../crowd.ts";

const stage = useFlowStage();
const { say, claimAll } = crowdOf(stage);
const LEASE_MS = 30_000;

const beginAll = (claims: readonly Claim[]) =>
  Promise.all(claims.map((claim) => stage.opened.store.outbox.begin(claim, claim.entries, "async", LEASE_MS)));

const countBegun = () => stage.opened.database.prisma.outboxEntry.count({ where: { begunWay: "async" } });

test("of many that begin at once, those whose lane has passed to another holder may send nothing and leave no mark", async () => {
  await Promise.all(OPEN_IDS.flatMap((openId) => [say(openId, "one"), say(openId, "two")]));
  const claims = await claimAll();
  await stage.opened.store.outbox.release(claims[7] as Claim);
  const [taken] = await claimAll({ holder: "worker-2" });
  expect(await beginAll(claims)).toEqual(claims.map((_, index) => index !== 7));
  expect(await countBegun()).toBe(2 * (OPEN_IDS.length - 1));
  expect(await beginAll([taken as Claim])).toEqual([true]);
  expect(await countBegun()).toBe(2 * OPEN_IDS.length);
});

test("a begin that cannot be written fails alone", async () => {
  const { prisma } = stage.opened.database;
  await Promise.all(OPEN_IDS.map((openId) => say(openId, "one")));
  const claims = await claimAll();
  await prisma.$executeRawUnsafe(
    `ALTER TABLE outbox_entries ADD CONSTRAINT crash CHECK (begun_at IS NULL OR id <> ${claims[7]?.entries[0]?.id})`,
  );
  const begun = await Promise.allSettled(claims.map((claim) => stage.opened.store.outbox.begin(claim, claim.entries, "async", LEASE_MS)));
  expect(begun.flatMap(({ status }, index) => (status === "rejected" ? [index] : []))).toEqual([7]);
  expect(await countBegun()).toBe(OPEN_IDS.length - 1);
});
