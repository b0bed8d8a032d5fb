import { expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../../src/domain/api-key.ts";
import type { Claim, Settlement } from "../../../src/domain/queue.ts";
import { createStore } from "../../../src/store/store.ts";
import { head, useFlowStage } from "../../flow/stage.ts";
import { TESTER } from "../../support/store.ts";
import { crowdOf, OPEN_IDS } from "../crowd.ts";

const stage = useFlowStage();
const { say, claimAll, pendingOf } = crowdOf(stage);
const textsOf = (claims: readonly Claim[]) => claims.map(({ messages }) => messages.map(({ message }) => message.text));

test("replies to many that come at once are stored each once and in order, those that are repeated among them found", async () => {
  const first = await Promise.all(OPEN_IDS.map((openId) => say(openId, "one")));
  const both = await Promise.all(OPEN_IDS.flatMap((openId) => [say(openId, "two"), say(openId, "one"), say(openId, "two")]));
  expect(first.every(({ isNew }) => isNew)).toBe(true);
  for (const [index, { messageId }] of first.entries()) {
    const [two, one, twoAgain] = both.slice(3 * index, 3 * index + 3);
    expect(one).toEqual({ messageId, isNew: false });
    expect(twoAgain).toEqual({ messageId: two?.messageId, isNew: false });
  }
  expect(textsOf(await claimAll("outbound"))).toEqual(OPEN_IDS.map(() => ["one", "two"]));
});

test("the same words without an id, said to many by two processes at once, are one message each", async () => {
  const stores = [stage.opened.store, createStore(stage.opened.database, stage.opened.box)];
  const said = await Promise.all(stores.flatMap((store) => OPEN_IDS.map((openId) => say(openId, "hello", { dedupeKey: null }, store))));
  expect(said.filter(({ isNew }) => isNew)).toHaveLength(OPEN_IDS.length);
  expect(new Set(said.map(({ messageId }) => messageId)).size).toBe(OPEN_IDS.length);
  for (const openId of OPEN_IDS) expect(await pendingOf(openId)).toMatchObject({ toCustomer: 1 });
});

test("a reply that cannot be stored fails alone", async () => {
  const { prisma } = stage.opened.database;
  await prisma.$executeRawUnsafe("ALTER TABLE messages ADD CONSTRAINT crash CHECK (text <> 'spoilt')");
  const said = await Promise.allSettled(OPEN_IDS.map((openId, index) => say(openId, index === 7 ? "spoilt" : "hello")));
  expect(said.flatMap(({ status }, index) => (status === "rejected" ? [index] : []))).toEqual([7]);
  expect(textsOf(await claimAll("outbound"))).toEqual(OPEN_IDS.slice(1).map(() => ["hello"]));
});

test("among many, only the conversations whose replies are held hold the next one too", async () => {
  const { queues } = stage.opened.store;
  await Promise.all(OPEN_IDS.slice(0, 5).map((openId) => say(openId, "too late")));
  const outcome = { kind: "hold", code: "45015", detail: "out of window" } as const;
  const held: Settlement = { outcome, next: { kind: "held" }, way: null, attempt: { startedAt: new Date(), durationMs: 1 } };
  await Promise.all((await claimAll("outbound")).map((claim) => queues.settle(claim, [head(claim)], held, { keepForMs: null })));
  const said = await Promise.all(OPEN_IDS.map((openId) => say(openId, "hello")));
  const found = await Promise.all(said.map(({ messageId }) => stage.opened.store.conversations.message(messageId, ALL_ACCOUNTS)));
  expect(found.map((each) => [each?.message.state, each?.message.errorCode])).toEqual(
    OPEN_IDS.map((_, index) => (index < 5 ? ["held", "45015"] : ["queued", null])),
  );
  expect(textsOf(await claimAll("outbound"))).toEqual(OPEN_IDS.slice(5).map(() => ["hello"]));
});

test("what a person writes is in the audit log when it is stored, and not again when it is repeated", async () => {
  const by = { origin: "operator", by: TESTER } as const;
  const said = await Promise.all(OPEN_IDS.map((openId, index) => say(openId, "hello", index < 3 ? by : {})));
  await say("o0", "hello", by);
  const { prisma } = stage.opened.database;
  const audited = await prisma.auditEntry.findMany({ where: { action: "message.written" }, orderBy: { id: "asc" } });
  expect(audited.map(({ subject, actorName }) => [subject, actorName]).sort()).toEqual(
    said
      .slice(0, 3)
      .map(({ messageId }) => [messageId, TESTER.name])
      .sort(),
  );
});
