import { expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../../src/domain/api-key.ts";
import { newMessageId, toConversationId } from "../../../src/domain/ids.ts";
import type { Claim, Settlement } from "../../../src/domain/queue.ts";
import type { Store } from "../../../src/domain/store.ts";
import { createStore } from "../../../src/store/store.ts";
import { head, useFlowStage } from "../../flow/stage.ts";
import { crowdOf, OPEN_IDS } from "../crowd.ts";

const stage = useFlowStage();
const { write, say, claimAll, pendingOf } = crowdOf(stage);

const LEASE_MS = 30_000;

const done = (state: "forwarded" | "sent" = "forwarded"): Settlement => ({
  outcome: { kind: "done" },
  next: { kind: "finished", state },
  way: null,
  attempt: { startedAt: new Date(), durationMs: 1 },
});

const settleHead = (claim: Claim, settlement = done(), { queues }: Store = stage.opened.store) =>
  queues.settle(claim, [head(claim)], settlement, { keepForMs: null });

/** The tries of each contact's first message. */
const countTries = () =>
  Promise.all(
    OPEN_IDS.map(async (openId) => {
      const page = await stage.opened.store.conversations.messages(toConversationId("shop", openId), { limit: 1 }, ALL_ACCOUNTS);
      return page === "bad-cursor" ? Number.NaN : page.items[0]?.attempts;
    }),
  );

test("one settle that cannot be written fails alone; those that were written with it count once", async () => {
  const { prisma } = stage.opened.database;
  await Promise.all(OPEN_IDS.map((openId) => write(openId, "hello")));
  const claims = await claimAll("inbound");
  const spoilt = head(claims[7] as Claim).message.id;
  await prisma.$executeRawUnsafe(`ALTER TABLE messages ADD CONSTRAINT crash CHECK (state IS NULL OR id <> '${spoilt}')`);
  const results = await Promise.allSettled(claims.map((claim) => settleHead(claim)));
  expect(results.flatMap(({ status }, index) => (status === "rejected" ? [index] : []))).toEqual([7]);
  await prisma.$executeRawUnsafe("ALTER TABLE messages DROP CONSTRAINT crash");
  const { openId: spoiltId } = (claims[7] as Claim).conversation;
  expect(await countTries()).toEqual(OPEN_IDS.map((openId) => (openId === spoiltId ? 0 : 1)));
  expect(await settleHead(claims[7] as Claim)).not.toBeNull();
  for (const openId of OPEN_IDS) expect(await pendingOf(openId)).toMatchObject({ toDesk: 0 });
});

test("among many, only the settles of stale claims change nothing", async () => {
  await Promise.all(OPEN_IDS.map((openId) => write(openId, "hello")));
  const claims = await claimAll("inbound");
  await stage.opened.store.queues.freeClaims(["worker-1"], LEASE_MS);
  const [taken] = await claimAll("inbound", { holder: "worker-2", queuesMax: 1 });
  const again = await claimAll("inbound");
  // A try that began earlier, as it must have: by its beginning a settle knows its own attempt.
  const earlier = { ...done(), attempt: { startedAt: new Date(Date.now() - 1_000), durationMs: 1 } };
  const settled = await Promise.all([...claims.map((claim) => settleHead(claim, earlier)), ...again.map((claim) => settleHead(claim))]);
  expect(settled.map((each) => each !== null)).toEqual([...claims.map(() => false), ...again.map(() => true)]);
  expect(await settleHead(taken as Claim)).not.toBeNull();
  expect(await countTries()).toEqual(OPEN_IDS.map(() => 1));
});

test("what both queues of a conversation settle at once is written one after the other, and a notice of the one stands in the other", async () => {
  for (const openId of OPEN_IDS) {
    await write(openId, "hello");
    await say(openId, "hi");
  }
  const claims = [...(await claimAll("inbound")), ...(await claimAll("outbound"))];
  const settled = await Promise.all(
    claims.map((claim) =>
      settleHead(
        claim,
        claim.direction === "outbound"
          ? { ...done("sent"), way: "async" }
          : {
              ...done(),
              report: { status: { status: "queueing", turn: 2 }, askedAtMs: performance.now() },
              notice: { messageId: newMessageId(new Date()), when: "changes", content: { type: "text", text: "2 before you" } },
            },
      ),
    ),
  );
  expect(settled.map((each) => each?.noticeEnqueued)).toEqual(claims.map(({ direction }) => direction === "inbound"));
  const notices = await claimAll("outbound");
  expect(notices.map(({ direction, messages }) => [direction, ...messages.map(({ message }) => message.text)])).toEqual(
    OPEN_IDS.map(() => ["outbound", "2 before you"]),
  );
});

test("two processes that store and settle for the same conversations at once wait for each other, and never in a circle", async () => {
  const stores = [stage.opened.store, createStore(stage.opened.database, stage.opened.box)];
  for (let round = 0; round < 5; round++) {
    await Promise.all(OPEN_IDS.flatMap((openId) => [write(openId, `hello ${round}`), say(openId, `hi ${round}`)]));
    const claims = [...(await claimAll("inbound")), ...(await claimAll("outbound"))];
    const work = claims.map((claim, index) => () => settleHead(claim, done(), stores[index % 2]));
    const writing = [...OPEN_IDS].reverse().map((openId, index) => () => write(openId, `more ${round}`, stores[index % 2]));
    const results = await Promise.all([...work, ...writing].map((each) => each()));
    expect(results.slice(0, work.length)).not.toContain(null);
    await stage.opened.store.queues.freeClaims(["worker-1"], LEASE_MS);
    for (const claim of await claimAll("inbound")) await settleHead(claim);
  }
  for (const openId of OPEN_IDS) expect(await pendingOf(openId)).toMatchObject({ toDesk: 0, toCustomer: 0 });
});

test("a vendor's sentence that was cut in the middle of a character is kept, and keeps nothing from being settled", async () => {
  await write("oA", "hello");
  const [claim] = await claimAll("inbound");
  const outcome = { kind: "rejected", code: "45015", detail: "\0 no \u{1F600}".slice(0, -1) } as const;
  await settleHead(claim as Claim, { ...done(), outcome, next: { kind: "finished", state: "dead" } });
  const found = await stage.opened.store.conversations.message(head(claim as Claim).message.id, ALL_ACCOUNTS);
  expect(found?.message).toMatchObject({ state: "dead", error: "\uFFFD no \uFFFD" });
});
