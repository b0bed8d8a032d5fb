import { expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../../src/domain/api-key.ts";
import type { Settlement } from "../../../src/domain/outbox.ts";
import { CONTACT, head, useFlowStage } from "../../flow/stage.ts";

const stage = useFlowStage();
const LEASE_MS = 30_000;

const sent = (): Settlement => ({
  outcome: { kind: "done" },
  next: { kind: "finished", state: "sent" },
  way: "async",
  attempt: { startedAt: new Date(), durationMs: 1 },
});

async function attemptsOf(messageId: string): Promise<number[]> {
  return (await stage.opened.store.conversations.message(messageId, ALL_ACCOUNTS))?.attempts.map(({ number }) => number) ?? [];
}

test("a settle that is repeated answers as the first did and counts once, whether or not it kept the claim", async () => {
  const { outbox } = stage.opened.store;
  const [one, two] = [await stage.say("one"), await stage.say("two")];
  let claim = await stage.claim();
  const [first, second] = claim.entries;
  if (first === undefined || second === undefined) throw new Error("the claim has not both entries");
  const part: Settlement = { ...sent(), next: { kind: "progressed", progress: 1 } };
  const partOut = await outbox.settle(claim, first, part, { keepForMs: LEASE_MS });
  expect(await outbox.settle(claim, first, part, { keepForMs: LEASE_MS })).toEqual(partOut);
  claim = { ...claim, claimNumber: partOut?.claimNumber ?? "" };
  const rest = { ...first, message: { ...first.message, attempts: 1 }, progress: 1 };
  const whole = sent();
  const kept = await outbox.settle(claim, rest, whole, { keepForMs: LEASE_MS });
  expect(await outbox.settle(claim, rest, whole, { keepForMs: LEASE_MS })).toEqual(kept);
  claim = { ...claim, claimNumber: kept?.claimNumber ?? "" };
  await stage.say("three");
  const last = sent();
  const given = await outbox.settle(claim, second, last, { keepForMs: null });
  expect(given).toMatchObject({ moreDue: true });
  expect(await outbox.settle(claim, second, last, { keepForMs: null })).toEqual(given);
  expect([await attemptsOf(one), await attemptsOf(two)]).toEqual([[1, 2], [1]]);
  expect((await stage.claim()).entries.map(({ message }) => message.text)).toEqual(["three"]);
});

test("a settle that is repeated when its kept claim has passed to another holder goes no further", async () => {
  const { outbox } = stage.opened.store;
  await stage.say("one");
  await stage.say("two");
  const claim = await stage.claim();
  const settlement = sent();
  expect(await outbox.settle(claim, head(claim), settlement, { keepForMs: 0 })).not.toBeNull();
  const next = await stage.claim();
  expect(await outbox.settle(claim, head(claim), settlement, { keepForMs: 0 })).toBeNull();
  expect(await outbox.settle(next, head(next), sent(), { keepForMs: null })).not.toBeNull();
});

test("a notice that was enqueued is told again when the settle is repeated", async () => {
  const { outbox } = stage.opened.store;
  await stage.write("hello", 0);
  const lane = { conversationId: CONTACT.conversationId, direction: "inbound" } as const;
  const claim = await outbox.claimLane(lane, { holder: "worker-1", entriesMax: 1, leaseMs: LEASE_MS });
  if (claim === null) throw new Error("the lane to the desk is not due");
  const settlement: Settlement = {
    ...sent(),
    report: { status: { status: "queueing", turn: 2 }, askedAtMs: performance.now() },
    notice: { messageId: "msg_notice", when: "changes", content: { type: "text", text: "2 before you" } },
  };
  const settled = await outbox.settle(claim, head(claim), settlement, { keepForMs: null });
  expect(settled).toMatchObject({ noticeEnqueued: true });
  expect(await outbox.settle(claim, head(claim), settlement, { keepForMs: null })).toEqual(settled);
  expect((await stage.claim()).entries.map(({ message }) => message.text)).toEqual(["2 before you"]);
});

test("replies that left joined are settled all or none, and once", async () => {
  const { outbox } = stage.opened.store;
  const { prisma } = stage.opened.database;
  const messageIds = [await stage.say("one"), await stage.say("two"), await stage.say("three")];
  const claim = await stage.claim();
  await outbox.begin(claim, claim.entries, "passive", LEASE_MS);
  const settlement: Settlement = { ...sent(), way: "passive" };
  await prisma.$executeRawUnsafe(`ALTER TABLE attempts ADD CONSTRAINT crash CHECK (message_id <> '${messageIds[2]}')`);
  await expect(outbox.settleTogether(claim, claim.entries, settlement)).rejects.toThrow();
  expect(await prisma.outboxEntry.count({ where: { begunWay: "passive" } })).toBe(3);
  await prisma.$executeRawUnsafe("ALTER TABLE attempts DROP CONSTRAINT crash");
  const settled = await outbox.settleTogether(claim, claim.entries, settlement);
  expect(settled).not.toBeNull();
  expect(await outbox.settleTogether(claim, claim.entries, settlement)).toEqual(settled);
  for (const messageId of messageIds) {
    expect(await stage.stateOf(messageId)).toEqual({ state: "sent", way: "passive" });
    expect(await attemptsOf(messageId)).toEqual([1]);
  }
  expect(await stage.opened.store.conversations.get(CONTACT.conversationId, ALL_ACCOUNTS)).toMatchObject({ pending: { toCustomer: 0 } });
});
