import { expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../../src/domain/api-key.ts";
import type { Settlement } from "../../../src/domain/queue.ts";
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
  const { queues } = stage.opened.store;
  const [one, two] = [await stage.say("one"), await stage.say("two")];
  const claim = await stage.claim();
  const [first, second] = claim.messages;
  if (first === undefined || second === undefined) throw new Error("the claim has not both messages");
  const part: Settlement = { ...sent(), next: { kind: "progressed", progress: 1 } };
  const partOut = await queues.settle(claim, [first], part, { keepForMs: LEASE_MS });
  expect(partOut).toMatchObject({ hasMore: true, isDue: false });
  expect(await queues.settle(claim, [first], part, { keepForMs: LEASE_MS })).toEqual(partOut);
  const rest = { ...first, message: { ...first.message, attempts: 1 }, progress: 1 };
  const whole = sent();
  const kept = await queues.settle(claim, [rest], whole, { keepForMs: LEASE_MS });
  expect(kept).toMatchObject({ hasMore: true, isDue: false });
  expect(await queues.settle(claim, [rest], whole, { keepForMs: LEASE_MS })).toEqual(kept);
  await stage.say("three");
  const last = sent();
  const given = await queues.settle(claim, [second], last, { keepForMs: null });
  expect(given).toMatchObject({ hasMore: true, isDue: true });
  expect(await queues.settle(claim, [second], last, { keepForMs: null })).toEqual(given);
  expect([await attemptsOf(one), await attemptsOf(two)]).toEqual([[1, 2], [1]]);
  expect((await stage.claim()).messages.map(({ message }) => message.text)).toEqual(["three"]);
});

test("a settle that is repeated when its kept claim has passed to another holder goes no further", async () => {
  const { queues } = stage.opened.store;
  await stage.say("one");
  await stage.say("two");
  const claim = await stage.claim();
  const settlement = sent();
  expect(await queues.settle(claim, [head(claim)], settlement, { keepForMs: 0 })).not.toBeNull();
  const next = await stage.claim();
  expect(await queues.settle(claim, [head(claim)], settlement, { keepForMs: 0 })).toBeNull();
  expect(await queues.settle(next, [head(next)], sent(), { keepForMs: null })).not.toBeNull();
});

test("a notice that was enqueued is told again when the settle is repeated", async () => {
  const { queues } = stage.opened.store;
  await stage.write("hello", 0);
  const claim = await stage.claim("inbound");
  const settlement: Settlement = {
    ...sent(),
    report: { status: { status: "queueing", turn: 2 }, askedAtMs: performance.now() },
    notice: { messageId: "msg_notice", when: "changes", content: { type: "text", text: "2 before you" } },
  };
  const settled = await queues.settle(claim, [head(claim)], settlement, { keepForMs: null });
  expect(settled).toMatchObject({ noticeEnqueued: true });
  expect(await queues.settle(claim, [head(claim)], settlement, { keepForMs: null })).toEqual(settled);
  expect((await stage.claim()).messages.map(({ message }) => message.text)).toEqual(["2 before you"]);
});

test("replies that left joined are settled all or none, and once", async () => {
  const { queues } = stage.opened.store;
  const { prisma } = stage.opened.database;
  const messageIds = [await stage.say("one"), await stage.say("two"), await stage.say("three")];
  const claim = await stage.claim();
  await queues.begin(claim, claim.messages, "passive", LEASE_MS);
  const settlement: Settlement = { ...sent(), way: "passive" };
  await prisma.$executeRawUnsafe(`ALTER TABLE messages ADD CONSTRAINT crash CHECK (state IS NULL OR id <> '${messageIds[2]}')`);
  await expect(queues.settle(claim, claim.messages, settlement, { keepForMs: null })).rejects.toThrow();
  expect(await prisma.conversation.findFirst()).toMatchObject({ outboundBegun: 3, outboundBegunWay: "passive", outboundDone: 0n });
  await prisma.$executeRawUnsafe("ALTER TABLE messages DROP CONSTRAINT crash");
  const settled = await queues.settle(claim, claim.messages, settlement, { keepForMs: null });
  expect(settled).not.toBeNull();
  expect(await queues.settle(claim, claim.messages, settlement, { keepForMs: null })).toEqual(settled);
  for (const messageId of messageIds) {
    expect(await stage.stateOf(messageId)).toEqual({ state: "sent", way: "passive" });
    expect(await attemptsOf(messageId)).toEqual([1]);
  }
  expect(await stage.opened.store.conversations.get(CONTACT.conversationId, ALL_ACCOUNTS)).toMatchObject({ pending: { toCustomer: 0 } });
});

const forwarded = (openUntil: Date | null): Settlement => ({
  ...sent(),
  next: { kind: "finished", state: "forwarded" },
  way: null,
  callbackOpenUntil: openUntil,
});

test("a callback's reservation ends with the settle of its message, and what is said then goes out at once", async () => {
  const { queues } = stage.opened.store;
  const { openUntil } = await stage.write("hello");
  const claim = await stage.claim("inbound");
  const settlement = forwarded(openUntil);
  const settled = await queues.settle(claim, [head(claim)], settlement, { keepForMs: null });
  expect(settled).toMatchObject({ isCallbackClosed: true });
  expect(await queues.settle(claim, [head(claim)], settlement, { keepForMs: null })).toEqual(settled);
  await stage.say("hi there");
  expect(head(await stage.claim()).message.text).toBe("hi there");
});

test("a reservation for which a reply waits does not end with the settle, nor does that of another callback", async () => {
  const { queues } = stage.opened.store;
  const { openUntil, conversationId } = await stage.write("hello");
  await stage.say("hi there");
  const claim = await stage.claim("inbound");
  const settlement = forwarded(openUntil);
  const settled = await queues.settle(claim, [head(claim)], settlement, { keepForMs: null });
  expect(settled).toMatchObject({ isCallbackClosed: false });
  expect(await queues.settle(claim, [head(claim)], settlement, { keepForMs: null })).toEqual(settled);
  await expect(stage.claim()).rejects.toThrow("not due");
  if (openUntil) await queues.closeCallback({ conversationId, openUntil });
  const reply = await stage.claim();
  await queues.settle(reply, [head(reply)], sent(), { keepForMs: null });

  const other = await stage.write("and?", 90_000);
  const third = await stage.write("well?", 120_000);
  const again = await stage.claim("inbound");
  await queues.settle(again, [head(again)], forwarded(other.openUntil), { keepForMs: null });
  expect((await stage.opened.database.prisma.conversation.findFirstOrThrow()).openCallbacks).toEqual([third.openUntil]);
});

test("a reservation stays for the notice that is enqueued with the settle", async () => {
  const { queues } = stage.opened.store;
  const { openUntil } = await stage.write("hello");
  const claim = await stage.claim("inbound");
  const settlement: Settlement = {
    ...forwarded(openUntil),
    report: { status: { status: "queueing", turn: 2 }, askedAtMs: performance.now() },
    notice: { messageId: "msg_notice", when: "changes", content: { type: "text", text: "2 before you" } },
  };
  const settled = await queues.settle(claim, [head(claim)], settlement, { keepForMs: null });
  expect(settled).toMatchObject({ noticeEnqueued: true, isCallbackClosed: false });
  await expect(stage.claim()).rejects.toThrow("not due");
});

test("a reply that was given to a callback ends its reservation with its settle: the next goes out at once", async () => {
  const { queues } = stage.opened.store;
  const { openUntil, messageId, conversationId } = await stage.write("hello");
  await stage.say("one");
  await stage.say("two");
  const { claim } = await queues.claimForCallback({ conversationId, messageId, holder: "callback-1", messagesMax: 1, leaseMs: LEASE_MS });
  if (claim === null) throw new Error("there is no reply to take");
  const settlement: Settlement = { ...sent(), way: "passive", callbackOpenUntil: openUntil };
  const settled = await queues.settle(claim, [head(claim)], settlement, { keepForMs: null });
  expect(settled).toEqual({ noticeEnqueued: false, hasMore: true, isDue: true, isCallbackClosed: true });
  expect(await queues.settle(claim, [head(claim)], settlement, { keepForMs: null })).toEqual(settled);
  expect(head(await stage.claim()).message.text).toBe("two");
});

test("a settle whose kept claim has emptied the queue answers again, until the queue has another holder", async () => {
  const { queues } = stage.opened.store;
  const one = await stage.say("one");
  const claim = await stage.claim();
  const settlement = sent();
  const settled = await queues.settle(claim, [head(claim)], settlement, { keepForMs: LEASE_MS });
  expect(settled).toMatchObject({ hasMore: false, isDue: false });
  expect(await queues.settle(claim, [head(claim)], settlement, { keepForMs: LEASE_MS })).toEqual(settled);
  await stage.say("two");
  const next = await stage.claim();
  expect(await queues.settle(claim, [head(claim)], settlement, { keepForMs: LEASE_MS })).toBeNull();
  expect(await queues.settle(next, [head(next)], sent(), { keepForMs: null })).not.toBeNull();
  expect(await attemptsOf(one)).toEqual([1]);
});

test("of replies that left joined, the cursor passes all of them, and what stands behind them is the next head", async () => {
  const { queues } = stage.opened.store;
  for (const text of ["one", "two", "three"]) await stage.say(text);
  const claim = await stage.claim();
  const [first, second] = claim.messages;
  if (first === undefined || second === undefined) throw new Error("the claim has not both messages");
  await queues.begin(claim, [first, second], "passive", LEASE_MS);
  expect(await queues.settle(claim, [first, second], { ...sent(), way: "passive" }, { keepForMs: null })).toMatchObject({
    hasMore: true,
    isDue: true,
  });
  const next = await stage.claim();
  expect(next.messages).toMatchObject([{ place: 3, begun: null, message: { text: "three" } }]);
});
