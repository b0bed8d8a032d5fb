import { afterEach, beforeEach, expect, test } from "vitest";
import { newHolder, newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { Direction } from "../../src/domain/message.ts";
import type { Claim, QueuedMessage, Settlement } from "../../src/domain/queue.ts";
import { eventually } from "../support/gateway.ts";
import { createRandom } from "../support/random.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../support/store.ts";

/*
 * Everything at once on a few queues: customers and agents add, workers and open callbacks claim, finish, fail, hold, give back, die
 * and come late; live workers are taken for dead. In any order of their statements every message has left once in the end, in order, and
 * no queue is stuck.
 */

let opened: TestStore;

beforeEach(async () => {
  opened = await openTestStore();
  await opened.store.accounts.create(newAccount("shop"), TESTER);
});

afterEach(() => opened.close());

const CONVERSATIONS = 5;
/** Embedded, one statement runs at a time, so fewer show as much. */
const ACTS = process.env.TEST_DATABASE_URL ? 120 : 40;
/** Short, so that leases end in the middle of things. */
const LEASE_MS = 25;

type Random = () => number;

const pickOne = <T>(random: Random, choices: readonly T[]): T => {
  const choice = choices[Math.floor(random() * choices.length)];
  if (choice === undefined) throw new Error("nothing to choose from");
  return choice;
};

function settlement(change: Partial<Settlement>): Settlement {
  return {
    outcome: { kind: "done" },
    next: { kind: "finished", state: "sent" },
    way: null,
    attempt: { startedAt: new Date(), durationMs: 1 },
    ...change,
  };
}

const again = (afterMs: number) =>
  settlement({ outcome: { kind: "retry", code: "BUSY", detail: "busy" }, next: { kind: "again", afterMs } });
const held = () => settlement({ outcome: { kind: "hold", code: "45015", detail: "outside the window" }, next: { kind: "held" } });
const lost = () =>
  settlement({ outcome: { kind: "uncertain", code: "SENDER_LOST", detail: "?" }, next: { kind: "finished", state: "uncertain" } });

/** The messages that desk and customers got, in the order in which they left. */
type Ledger = Map<string, string[]>;

test.each([1, 2, 3])(
  "no queue is stuck and nothing is lost, doubled or out of order under any interference (seed %i)",
  async (seed) => {
    const { queues, inbound, outbound } = opened.store;
    const contacts = Array.from({ length: CONVERSATIONS }, (_, index) => `oContact${index}`);
    const ledger: Ledger = new Map();
    /** Holders whose heartbeat has ended, rightly or wrongly. */
    const dead = new Set<string>();
    let counter = 0;
    const note = ({ conversationId, direction }: Claim, { message }: QueuedMessage) => {
      const key = `${conversationId} ${direction}`;
      ledger.set(key, [...(ledger.get(key) ?? []), message.id]);
    };

    /** A slot in the process that stores, so that an empty queue is claimed in memory. */
    const reserve = (random: Random) => (random() < 0.5 ? newHolder("worker") : null);

    const customer = async (random: Random) => {
      const openId = pickOne(random, contacts);
      counter++;
      const content = { type: "text" as const, text: `${counter}` };
      const received = await inbound.record({
        messageId: newMessageId(new Date()),
        conversationId: toConversationId("shop", openId),
        accountId: "shop",
        message: { openId, dedupeKey: `key-${counter}`, vendorMessageId: null, sentAt: new Date(), content },
        forward: true,
        holder: reserve(random),
        openForMs: pickOne(random, [0, 5, 40]),
        openForQueryMs: 0,
        allowance: { windowMs: 60_000, repliesMax: 5 },
      });
      if (received.claim !== null) await workFromMemory(random, received.claim);
      if (received.openUntil !== null && random() < 0.7) {
        await callback(random, openId, received.messageId);
        await queues.closeCallback({ conversationId: received.conversationId, openUntil: received.openUntil });
      }
    };

    const agent = async (random: Random) => {
      const openId = pickOne(random, contacts);
      counter++;
      const conversationId = toConversationId("shop", openId);
      const replies = [
        { messageId: newMessageId(new Date()), content: { type: "text", text: `${counter}` } as const, dedupeKey: `push-${counter}` },
      ];
      const { claim } = await outbound.enqueue({
        ...{ conversationId, accountId: "shop", openId, origin: "agent", replies },
        holder: reserve(random),
      });
      if (claim !== null) await workFromMemory(random, claim);
    };

    /** Some processes die before they learn of their claim, some lose it and give it back by name. */
    const workFromMemory = async (random: Random, claim: Claim) => {
      const fate = random();
      if (fate < 0.1) dead.add(claim.holder);
      else if (fate < 0.2) await queues.releaseLost(claim.holder, [claim]);
      else await work(random, claim);
    };

    const callback = async (random: Random, openId: string, messageId: string) => {
      const conversationId = toConversationId("shop", openId);
      const holder = newHolder("callback");
      const { claim, answer } = await queues.claimForCallback({ conversationId, messageId, holder, messagesMax: 1, leaseMs: LEASE_MS });
      const [queued] = claim?.messages ?? [];
      if (answer !== null || claim === null || queued === undefined) return;
      if (queued.begun !== null) {
        await queues.settle(claim, [queued], lost(), { keepForMs: null });
        return;
      }
      const answers = {
        inboundId: messageId,
        answer: { messageIds: [queued.message.id], content: queued.message.content, createdAt: new Date() },
      };
      if (random() < 0.2) return queues.release(claim);
      if (!(await queues.begin(claim, [queued], "passive", LEASE_MS, answers))) return queues.release(claim);
      const end = pickOne(random, ["given", "given", "withdrawn", "repeated", "died"] as const);
      if (end === "withdrawn") {
        await queues.withdraw(claim, messageId);
        return;
      }
      note(claim, queued);
      if (end === "given") await queues.settle(claim, [queued], settlement({ way: "passive" }), { keepForMs: null });
      if (end === "repeated") await queues.confirmAnswer(messageId);
    };

    const worker = async (random: Random) => {
      const holder = newHolder("worker");
      const direction = pickOne<Direction>(random, ["inbound", "outbound"]);
      const queue = { conversationId: toConversationId("shop", pickOne(random, contacts)), direction };
      const claims =
        random() < 0.5
          ? await queues.claimDue({ direction, holder, queuesMax: 3, messagesMax: 2, leaseMs: LEASE_MS, roomOfEach: 64, rooms: [] })
          : [await queues.claimQueue(queue, { holder, messagesMax: 3, leaseMs: LEASE_MS })].flatMap((claim) => claim ?? []);
      for (const claim of claims) await work(random, claim);
    };

    /** As runQueue: from the head on, until the claim is not kept. */
    const work = async (random: Random, claim: Claim) => {
      let waiting = claim.messages.length > 0 ? [...claim.messages] : await queues.next(claim, 0, 2);
      if (waiting.length === 0) return queues.release(claim);
      for (let queued = waiting.shift(); queued !== undefined; queued = waiting.shift()) {
        if (random() < 0.1) return queues.release(claim);
        if (random() < 0.05) return queues.retire(claim.holder, 0);
        const goesOn = random() < 0.8;
        const settled = await tryOnce(random, claim, queued, goesOn ? LEASE_MS : null);
        if (!(goesOn && settled?.hasMore)) return;
        if (waiting.length === 0) waiting = await queues.next(claim, queued.place, 2);
      }
    };

    /** Some answers get lost on their way, whether or not the work was done. */
    const settle = async (random: Random, ...given: Parameters<typeof queues.settle>) => {
      const settled = await queues.settle(...given);
      return random() < 0.2 ? queues.settle(...given) : settled;
    };

    /** Null when the next message of the claim may not be tried. */
    const tryOnce = async (random: Random, claim: Claim, queued: QueuedMessage, keepForMs: number | null) => {
      if (claim.direction === "outbound") {
        if (queued.begun !== null) return settle(random, claim, [queued], lost(), { keepForMs });
        if (!(await queues.begin(claim, [queued], "async", LEASE_MS))) return null;
      }
      const end = pickOne(random, ["done", "done", "done", "again", "held", "died", "late"] as const);
      if (end === "again" || (end === "held" && claim.direction === "inbound")) {
        await settle(random, claim, [queued], again(Math.floor(random() * 4)), { keepForMs: null });
        return null;
      }
      if (end === "held") {
        await settle(random, claim, [queued], held(), { keepForMs: null });
        return null;
      }
      note(claim, queued);
      if (end === "died" || (end === "late" && random() < 0.3)) dead.add(claim.holder);
      if (end === "died") return null;
      if (end === "late") await Promise.all([customer(random), agent(random), worker(random), undertaker()]);
      const state = claim.direction === "inbound" ? "forwarded" : "sent";
      return settle(random, claim, [queued], settlement({ next: { kind: "finished", state } }), { keepForMs });
    };

    const undertaker = () => queues.freeClaims([...dead], LEASE_MS);

    const live = async (act: (random: Random) => Promise<void>, actor: number) => {
      const random = createRandom(seed * 1_000 + actor);
      for (let index = 0; index < ACTS; index++) await act(random);
    };
    await Promise.all([customer, agent, worker, worker, customer, agent, worker, worker, undertaker].map(live));

    // The contacts write once more, so that what is held has its chance; then one diligent worker is left.
    for (const openId of contacts) {
      const content = { type: "text", text: "last" } as const;
      const conversationId = toConversationId("shop", openId);
      await inbound.record({
        ...{ messageId: newMessageId(new Date()), conversationId, accountId: "shop", forward: true },
        message: { openId, dedupeKey: `last-${openId}`, vendorMessageId: null, sentAt: new Date(), content },
        ...{ openForMs: 0, openForQueryMs: 0, allowance: null },
      });
    }
    const finish = async (claim: Claim) => {
      let waiting = [...claim.messages];
      expect(waiting).not.toEqual([]);
      for (let queued = waiting.shift(); queued !== undefined; queued = waiting.shift()) {
        if (queued.begun === null) note(claim, queued);
        const state = claim.direction === "inbound" ? "forwarded" : "sent";
        const end = queued.begun === null ? settlement({ next: { kind: "finished", state } }) : lost();
        const settled = await queues.settle(claim, [queued], end, { keepForMs: 5_000 });
        if (settled === null) throw new Error("the last worker was overtaken");
        if (settled.hasMore && waiting.length === 0) waiting = await queues.next(claim, queued.place, 10);
      }
    };
    const drain = async () => {
      await undertaker();
      for (const direction of ["inbound", "outbound"] as const) {
        const options = { holder: "worker-last", queuesMax: 64, messagesMax: 10, leaseMs: 5_000, roomOfEach: 64, rooms: [] };
        for (const claim of await queues.claimDue({ ...options, direction })) await finish(claim);
      }
      return opened.database.prisma.message.count({ where: { state: null } });
    };
    await eventually("every queue to be empty", drain, (left) => left === 0, 5_000);

    for (const row of await opened.database.prisma.conversation.findMany()) {
      expect(row).toMatchObject({ inboundHolder: null, inboundDueAt: null, outboundHolder: null, outboundDueAt: null, outboundBegun: 0 });
      expect([row.inboundDone, row.outboundDone]).toEqual([row.inboundLast, row.outboundLast]);
    }
    for (const openId of contacts) {
      const conversationId = toConversationId("shop", openId);
      const stored = await opened.database.prisma.message.findMany({ where: { conversationId }, orderBy: { seq: "asc" } });
      for (const direction of ["inbound", "outbound"]) {
        const messages = stored.filter((message) => message.direction === direction);
        expect(messages.map(({ place }) => Number(place))).toEqual(messages.map((_, index) => index + 1));
        const left = ledger.get(`${conversationId} ${direction}`) ?? [];
        // The desk may be told twice, when a worker died or came late; a customer may not.
        const first = left.filter((id, index) => left.indexOf(id) === index);
        // A message that was begun and then not sent is uncertain too.
        const told = messages.filter(({ id, state }) => state !== "uncertain" || left.includes(id));
        expect(first).toEqual(told.map(({ id }) => id));
        if (direction === "outbound") expect(left).toEqual(first);
        expect(messages.filter(({ state }) => !["forwarded", "sent", "uncertain"].includes(state ?? "waiting"))).toEqual([]);
      }
    }
  },
  60_000,
);
