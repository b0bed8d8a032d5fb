import { expect, test } from "vitest";
import type { Claim } from "../../../src/domain/queue.ts";
import { head, useFlowStage } from "../../flow/stage.ts";
import { crowdOf, OPEN_IDS } from "../crowd.ts";

const stage = useFlowStage();
const { say, claimAll } = crowdOf(stage);
const LEASE_MS = 30_000;
const UNCERTAIN = {
  outcome: { kind: "uncertain", code: "SENDER_LOST", detail: "the sender stopped" },
  next: { kind: "finished", state: "uncertain" },
  way: "passive",
} as const;

const beginAll = (claims: readonly Claim[]) =>
  Promise.all(claims.map((claim) => stage.opened.store.queues.begin(claim, claim.messages, "async", LEASE_MS)));

async function countBegun(): Promise<number> {
  const { prisma } = stage.opened.database;
  const { _sum } = await prisma.conversation.aggregate({ where: { outboundBegunWay: "async" }, _sum: { outboundBegun: true } });
  return _sum.outboundBegun ?? 0;
}

test("of many that begin at once, those whose queue has passed to another holder may send nothing and leave no mark", async () => {
  await Promise.all(OPEN_IDS.flatMap((openId) => [say(openId, "one"), say(openId, "two")]));
  const claims = await claimAll("outbound");
  await stage.opened.store.queues.release(claims[7] as Claim);
  const [taken] = await claimAll("outbound", { holder: "worker-2" });
  expect(await beginAll(claims)).toEqual(claims.map((_, index) => index !== 7));
  expect(await countBegun()).toBe(2 * (OPEN_IDS.length - 1));
  expect(await beginAll([taken as Claim])).toEqual([true]);
  expect(await countBegun()).toBe(2 * OPEN_IDS.length);
});

test("a begin that cannot be written fails alone", async () => {
  const { prisma } = stage.opened.database;
  await Promise.all(OPEN_IDS.map((openId) => say(openId, "one")));
  const claims = await claimAll("outbound");
  await prisma.$executeRawUnsafe(
    `ALTER TABLE conversations ADD CONSTRAINT crash CHECK (outbound_begun_at IS NULL OR id <> '${claims[7]?.conversationId}')`,
  );
  const begun = await Promise.allSettled(claims.map((claim) => stage.opened.store.queues.begin(claim, claim.messages, "async", LEASE_MS)));
  expect(begun.flatMap(({ status }, index) => (status === "rejected" ? [index] : []))).toEqual([7]);
  expect(await countBegun()).toBe(OPEN_IDS.length - 1);
});

test("of replies that were begun together, giving up the first leaves the others begun: none is sent again", async () => {
  const { queues } = stage.opened.store;
  const texts = ["one", "two", "three"];
  for (const text of [...texts, "four"]) await stage.say(text);
  const begun = await stage.claim();
  await queues.begin(begun, begun.messages.slice(0, 3), "passive", LEASE_MS);
  await queues.release(begun);
  const marks: (string | null)[][] = [];
  for (const _ of [...texts, "four"]) {
    const claim = await stage.claim();
    marks.push(claim.messages.map(({ begun }) => begun?.way ?? null));
    const attempt = { startedAt: new Date(), durationMs: 1 };
    await queues.settle(claim, [head(claim)], { ...UNCERTAIN, attempt }, { keepForMs: null });
  }
  expect(marks).toEqual([["passive", "passive", "passive", null], ["passive", "passive", null], ["passive", null], [null]]);
});
