import { afterEach, beforeEach, expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { newHolder, newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { Direction } from "../../src/domain/message.ts";
import type { Claim, Settlement } from "../../src/domain/queue.ts";
import type { RecordInbound } from "../../src/domain/store.ts";
import { enqueueReply } from "../support/reply.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../support/store.ts";

let opened: TestStore;

beforeEach(async () => {
  opened = await openTestStore();
  await opened.store.accounts.create(newAccount("shop"), TESTER);
});

afterEach(() => opened.close());

const LEASE_MS = 30_000;
let counter = 0;

function inbound(openId: string, text: string, change: Partial<RecordInbound> = {}): RecordInbound {
  counter++;
  return {
    messageId: newMessageId(new Date()),
    conversationId: toConversationId("shop", openId),
    accountId: "shop",
    message: { openId, dedupeKey: `key-${counter}`, vendorMessageId: String(counter), sentAt: new Date(), content: { type: "text", text } },
    forward: true,
    openForMs: 0,
    openForQueryMs: 0,
    allowance: { windowMs: 48 * 3_600_000, repliesMax: 5 },
    ...change,
  };
}

function settlement(change: Partial<Settlement> = {}): Settlement {
  return {
    outcome: { kind: "done" },
    next: { kind: "finished", state: "forwarded" },
    way: null,
    attempt: { startedAt: new Date(), durationMs: 1 },
    ...change,
  };
}

async function say(openId: string, text: string): Promise<string> {
  const { messageId } = await enqueueReply(opened.store, openId, text);
  return messageId;
}

async function claimOf(openId: string, direction: Direction, holder = newHolder("worker")): Promise<Claim | null> {
  const queue = { conversationId: toConversationId("shop", openId), direction };
  return opened.store.queues.claimQueue(queue, { holder, messagesMax: 10, leaseMs: LEASE_MS });
}

async function mustClaim(openId: string, direction: Direction): Promise<Claim> {
  const claim = await claimOf(openId, direction);
  if (claim === null) throw new Error(`the ${direction} queue of ${openId} cannot be claimed`);
  return claim;
}

function head(claim: Claim) {
  const [queued] = claim.messages;
  if (queued === undefined) throw new Error("the claim has no messages");
  return queued;
}

const texts = (claim: Claim) => claim.messages.map(({ message }) => message.text);

test("a message is stored once however often it is delivered, and enqueued once", async () => {
  const first = inbound("oA", "hello");
  const again = { ...first, messageId: newMessageId(new Date()) };
  const stored = await opened.store.inbound.record(first);
  const repeated = await opened.store.inbound.record(again);
  expect(stored).toMatchObject({ messageId: first.messageId, isNew: true });
  expect(repeated).toMatchObject({ messageId: first.messageId, isNew: false });
  expect(texts(await mustClaim("oA", "inbound"))).toEqual(["hello"]);
});

test("the same message delivered many times at once is stored once", async () => {
  const original = inbound("oA", "hello");
  const deliveries = Array.from({ length: 12 }, () => ({ ...original, messageId: newMessageId(new Date()) }));
  const results = await Promise.all(deliveries.map(opened.store.inbound.record));
  expect(results.filter((result) => result?.isNew)).toHaveLength(1);
  expect(new Set(results.map((result) => result?.messageId)).size).toBe(1);
  expect(texts(await mustClaim("oA", "inbound"))).toEqual(["hello"]);
});

test("a batch with new messages, known ones and a repetition within itself is answered in its order", async () => {
  const known = inbound("oA", "known");
  await opened.store.inbound.record(known);
  const fresh = inbound("oB", "fresh");
  const batch = [
    { ...known, messageId: newMessageId(new Date()) },
    fresh,
    { ...fresh, messageId: newMessageId(new Date()) },
    inbound("oA", "next"),
  ];
  const results = await Promise.all(batch.map(opened.store.inbound.record));
  expect(results.map(({ isNew }) => isNew)).toEqual([false, true, false, true]);
  expect(results[2]?.messageId).toBe(fresh.messageId);
  expect(texts(await mustClaim("oA", "inbound"))).toEqual(["known", "next"]);
  expect(texts(await mustClaim("oB", "inbound"))).toEqual(["fresh"]);
});

test("concurrent messages of one contact leave in the order in which they were stored", async () => {
  await Promise.all(Array.from({ length: 20 }, (_, index) => opened.store.inbound.record(inbound("oA", `m${index}`))));
  const listed = await opened.store.conversations.messages(toConversationId("shop", "oA"), { limit: 50 }, ALL_ACCOUNTS);
  if (listed === "bad-cursor") throw new Error("no cursor was given");
  const stored = listed.items.map(({ text }) => text).reverse();
  const sent: string[] = [];
  for (let claim = await claimOf("oA", "inbound"); claim !== null; claim = await claimOf("oA", "inbound")) {
    sent.push(head(claim).message.text);
    await opened.store.queues.settle(claim, [head(claim)], settlement(), { keepForMs: null });
  }
  expect(sent).toEqual(stored);
  expect(sent).toHaveLength(20);
});

test("a claimed queue is no other holder's, and due queues are shared out without overlap", async () => {
  for (let index = 0; index < 20; index++) await opened.store.inbound.record(inbound(`o${index}`, "hello"));
  const claim = () =>
    opened.store.queues.claimDue({
      direction: "inbound",
      holder: newHolder("worker"),
      queuesMax: 8,
      messagesMax: 1,
      leaseMs: LEASE_MS,
      roomOfEach: 8,
      rooms: [],
    });
  const claims = (await Promise.all([claim(), claim(), claim(), claim()])).flat();
  const claimed = claims.map(({ conversationId }) => conversationId);
  expect(new Set(claimed).size).toBe(claimed.length);
  const rest = await claim();
  expect(new Set([...claimed, ...rest.map(({ conversationId }) => conversationId)]).size).toBe(20);
  expect(await claimOf("o0", "inbound")).toBeNull();
});

test("of a share without room nothing is claimed, of the others the longest due, in turns", async () => {
  await opened.store.accounts.create(newAccount("other"), TESTER);
  await opened.store.inbound.record(inbound("oA", "hello"));
  await say("oA", "hi");
  const otherwise = (openId: string) => ({ accountId: "other", conversationId: toConversationId("other", openId) });
  await opened.store.inbound.record({ ...inbound("oA", "hello"), ...otherwise("oA") });
  for (const openId of ["oB", "oC", "oD"]) await opened.store.inbound.record(inbound(openId, "hello"));
  const claim = (room: number, queuesMax: number, direction: Direction = "inbound") =>
    opened.store.queues.claimDue({
      direction,
      holder: "worker-1",
      queuesMax,
      messagesMax: 1,
      leaseMs: LEASE_MS,
      roomOfEach: 10,
      rooms: [{ accountId: "shop", room }],
    });
  const toAccounts = (claims: Claim[]) => claims.map(({ conversation }) => conversation.accountId).sort();
  expect(toAccounts(await claim(0, 10))).toEqual(["other"]);
  expect(toAccounts(await claim(0, 10, "outbound"))).toEqual([]);
  expect(toAccounts(await claim(1, 10, "outbound"))).toEqual(["shop"]);
  const longest = toConversationId("shop", "oD");
  await opened.database.prisma.$executeRaw`
    UPDATE conversations SET inbound_due_at = now() - interval '1 minute' WHERE id = ${longest}`;
  expect(await claim(1, 10)).toMatchObject([{ conversationId: longest }]);
  await opened.store.inbound.record({ ...inbound("oE", "hello"), ...otherwise("oE") });
  expect(toAccounts(await claim(10, 2))).toEqual(["other", "shop"]);
  expect(toAccounts(await claim(10, 10))).toEqual(["shop", "shop"]);
});

test("a worker that was overtaken changes nothing", async () => {
  await opened.store.inbound.record(inbound("oA", "hello"));
  const queue = { conversationId: toConversationId("shop", "oA"), direction: "inbound" as const };
  const slow = await opened.store.queues.claimQueue(queue, { holder: "worker-slow", messagesMax: 10, leaseMs: 0 });
  const fast = await mustClaim("oA", "inbound");
  if (slow === null) throw new Error("the first claim failed");
  expect(await opened.store.queues.settle(slow, [head(slow)], settlement(), { keepForMs: null })).toBeNull();
  expect(await opened.store.queues.begin(slow, [head(slow)], "async", LEASE_MS)).toBe(false);
  expect((await opened.store.conversations.message(head(slow).message.id, ALL_ACCOUNTS))?.message.state).toBe("received");
  expect(await opened.store.queues.settle(fast, [head(fast)], settlement(), { keepForMs: null })).toMatchObject({
    noticeEnqueued: false,
    hasMore: false,
    isDue: false,
  });
  expect((await opened.store.conversations.message(head(fast).message.id, ALL_ACCOUNTS))?.message.state).toBe("forwarded");
});

test("a message that is added while its queue is being settled is found due, not left behind", async () => {
  await opened.store.inbound.record(inbound("oA", "first"));
  const claim = await mustClaim("oA", "inbound");
  const [settled] = await Promise.all([
    opened.store.queues.settle(claim, [head(claim)], settlement(), { keepForMs: null }),
    opened.store.inbound.record(inbound("oA", "second")),
  ]);
  expect(settled).not.toBeNull();
  expect(texts(await mustClaim("oA", "inbound"))).toEqual(["second"]);
});

test("a failed message keeps its place, and its queue waits out the pause", async () => {
  await opened.store.inbound.record(inbound("oA", "first"));
  await opened.store.inbound.record(inbound("oA", "second"));
  const claim = await mustClaim("oA", "inbound");
  const retry = settlement({
    outcome: { kind: "retry", code: "DESK_HTTP_503", detail: "the desk is away" },
    next: { kind: "again", afterMs: 60_000 },
  });
  await opened.store.queues.settle(claim, [head(claim)], retry, { keepForMs: null });
  expect(await claimOf("oA", "inbound")).toBeNull();
  const { message, attempts } = (await opened.store.conversations.message(head(claim).message.id, ALL_ACCOUNTS)) ?? {};
  expect(message).toMatchObject({ state: "retrying", attempts: 1, errorCode: "DESK_HTTP_503", error: "the desk is away" });
  expect(attempts).toMatchObject([{ number: 1, outcome: "retry", code: "DESK_HTTP_503" }]);
});

test("what the desk says is stored with the result, and its notice is enqueued only when something changed", async () => {
  const say = async (turn: number) => {
    await opened.store.inbound.record(inbound("oA", "hello"));
    const claim = await mustClaim("oA", "inbound");
    const report = { status: { status: "queueing", turn, agentName: null, notice: `turn ${turn}` } as const, askedAtMs: performance.now() };
    const notice = {
      messageId: newMessageId(new Date()),
      when: "changes" as const,
      content: { type: "text" as const, text: `turn ${turn}` },
    };
    return opened.store.queues.settle(claim, [head(claim)], settlement({ report, notice }), { keepForMs: null });
  };
  expect((await say(2))?.noticeEnqueued).toBe(true);
  expect((await say(2))?.noticeEnqueued).toBe(false);
  expect((await say(1))?.noticeEnqueued).toBe(true);
  const overview = await opened.store.conversations.get(toConversationId("shop", "oA"), ALL_ACCOUNTS);
  expect(overview).toMatchObject({ status: "queueing", turn: 1, notice: "turn 1", pending: { toDesk: 0, toCustomer: 2 } });
  expect(texts(await mustClaim("oA", "outbound"))).toEqual(["turn 2", "turn 1"]);
});

test("a reply waits for the open callback, which alone can take it", async () => {
  const received = await opened.store.inbound.record(inbound("oA", "hello", { openForMs: 60_000 }));
  await say("oA", "hi there");
  expect(await claimOf("oA", "outbound")).toBeNull();
  const callback = {
    conversationId: toConversationId("shop", "oA"),
    messageId: received?.messageId ?? "",
    holder: newHolder("callback"),
    messagesMax: 1,
    leaseMs: LEASE_MS,
  };
  const prospect = await opened.store.queues.claimForCallback(callback);
  expect(prospect.claim && texts(prospect.claim)).toEqual(["hi there"]);
  expect((await opened.store.queues.claimForCallback({ ...callback, holder: newHolder("callback") })).claim).toBeNull();
});

test("a reply that came too late for its callback is due at once when the callback closes", async () => {
  const received = await opened.store.inbound.record(inbound("oA", "hello", { openForMs: 60_000 }));
  await say("oA", "hi there");
  if (!received?.openUntil) throw new Error("the callback made no reservation");
  await opened.store.queues.closeCallback({ conversationId: received.conversationId, openUntil: received.openUntil });
  expect(texts(await mustClaim("oA", "outbound"))).toEqual(["hi there"]);
});

test("closing one of two open callbacks leaves the reply to the other", async () => {
  const first = await opened.store.inbound.record(inbound("oA", "one", { openForMs: 60_000 }));
  await opened.store.inbound.record(inbound("oA", "two", { openForMs: 90_000 }));
  await say("oA", "hi there");
  if (!first?.openUntil) throw new Error("the callback made no reservation");
  await opened.store.queues.closeCallback({ conversationId: first.conversationId, openUntil: first.openUntil });
  expect(await claimOf("oA", "outbound")).toBeNull();
});

test("a repeated callback is given the answer of the first, and a doubt is cleared by it", async () => {
  const received = await opened.store.inbound.record(inbound("oA", "hello", { openForMs: 60_000 }));
  const messageId = await say("oA", "hi there");
  const inboundId = received?.messageId ?? "";
  const callback = {
    conversationId: toConversationId("shop", "oA"),
    messageId: inboundId,
    holder: newHolder("callback"),
    messagesMax: 1,
    leaseMs: LEASE_MS,
  };
  const { claim } = await opened.store.queues.claimForCallback(callback);
  if (claim === null) throw new Error("nothing to take");
  const answer = { messageIds: [messageId], content: { type: "text" as const, text: "hi there" }, createdAt: new Date() };
  expect(await opened.store.queues.begin(claim, [head(claim)], "passive", LEASE_MS, { inboundId, answer })).toBe(true);
  expect(await opened.store.queues.begin(claim, [head(claim)], "passive", LEASE_MS, { inboundId, answer })).toBe(false);

  const repeated = await opened.store.queues.claimForCallback({ ...callback, holder: newHolder("callback") });
  expect(repeated).toMatchObject({ answer, claim: null });
  await opened.store.queues.confirmAnswer(inboundId);
  await opened.store.queues.confirmAnswer(inboundId);
  expect((await opened.store.conversations.message(messageId, ALL_ACCOUNTS))?.message).toMatchObject({ state: "sent", way: "passive" });
  expect(await opened.store.conversations.get(callback.conversationId, ALL_ACCOUNTS)).toMatchObject({ pending: { toCustomer: 0 } });
  expect(
    await opened.store.queues.settle(claim, [head(claim)], settlement({ next: { kind: "finished", state: "sent" } }), { keepForMs: null }),
  ).toBeNull();
});

test("held replies keep their order and reason, and have their chance when the contact writes again", async () => {
  await opened.store.inbound.record(inbound("oA", "hello", { forward: false }));
  const first = await say("oA", "one");
  const claim = await mustClaim("oA", "outbound");
  const held = settlement({ outcome: { kind: "hold", code: "45015", detail: "outside the window" }, next: { kind: "held" } });
  await opened.store.queues.settle(claim, [head(claim)], held, { keepForMs: null });
  const second = await say("oA", "two");
  expect(await claimOf("oA", "outbound")).toBeNull();
  for (const id of [first, second]) {
    expect((await opened.store.conversations.message(id, ALL_ACCOUNTS))?.message).toMatchObject({ state: "held", errorCode: "45015" });
  }
  expect(await opened.store.conversations.get(toConversationId("shop", "oA"), ALL_ACCOUNTS)).toMatchObject({
    pending: { toCustomer: 2, held: 2 },
  });

  await opened.store.inbound.record(inbound("oA", "anybody there?", { forward: false }));
  expect(texts(await mustClaim("oA", "outbound"))).toEqual(["one", "two"]);
});

test("an agent's repeated push within the window is one message, with different words or ids it is two", async () => {
  expect(await say("oA", "one moment")).toBe(await say("oA", "one moment"));
  expect(await say("oA", "one moment")).not.toBe(await say("oA", "one moment please"));
  const enqueue = (dedupeKey: string) => enqueueReply(opened.store, "oA", "with an id", { dedupeKey });
  const [first, ...others] = await Promise.all([enqueue("push:1"), enqueue("push:1"), enqueue("push:1")]);
  for (const other of others) expect(other.messageId).toBe(first?.messageId);
  expect((await enqueue("push:2")).messageId).not.toBe(first?.messageId);
});

test("everything a holder has is given back when it stops", async () => {
  for (const openId of ["oA", "oB"]) await opened.store.inbound.record(inbound(openId, "hello"));
  const holder = newHolder("worker");
  expect(
    await opened.store.queues.claimDue({
      direction: "inbound",
      holder,
      queuesMax: 10,
      messagesMax: 1,
      leaseMs: LEASE_MS,
      roomOfEach: 10,
      rooms: [],
    }),
  ).toHaveLength(2);
  await opened.store.queues.freeClaims([holder], LEASE_MS);
  expect(texts(await mustClaim("oA", "inbound"))).toEqual(["hello"]);
  expect(texts(await mustClaim("oB", "inbound"))).toEqual(["hello"]);
});

test("the window of replies is the better of old and new, and an asynchronous reply uses one up", async () => {
  const conversationId = toConversationId("shop", "oA");
  await opened.store.inbound.record(inbound("oA", "hello", { forward: false }));
  const before = await opened.store.conversations.get(conversationId, ALL_ACCOUNTS);
  await opened.store.inbound.record(inbound("oA", "click", { forward: false, allowance: { windowMs: 60_000, repliesMax: 3 } }));
  expect(await opened.store.conversations.get(conversationId, ALL_ACCOUNTS)).toMatchObject({
    repliesRemaining: 5,
    windowClosesAt: before?.windowClosesAt,
  });
  await say("oA", "hi");
  const claim = await mustClaim("oA", "outbound");
  await opened.store.queues.settle(claim, [head(claim)], settlement({ next: { kind: "finished", state: "sent" }, way: "async" }), {
    keepForMs: null,
  });
  expect(await opened.store.conversations.get(conversationId, ALL_ACCOUNTS)).toMatchObject({
    repliesRemaining: 4,
    pending: { toCustomer: 0 },
  });
});
