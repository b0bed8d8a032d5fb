import { afterEach, beforeEach, expect, test } from "vitest";
import { newHolder, newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { Direction } from "../../src/domain/message.ts";
import type { Claim, ClaimedEntry, Settlement } from "../../src/domain/outbox.ts";
import type { Settled } from "../../src/domain/store.ts";
import { eventually } from "../support/gateway.ts";
import { createRandom } from "../support/random.ts";
import { enqueueReply } from "../support/reply.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../support/store.ts";

/*
 * Everybody at once on a few lanes: customers and agents add, workers and open callbacks claim, finish, fail, hold, give back, die
 * and come late. Whatever the order of their statements is, in the end every message has left once, in order, and no lane is stuck.
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

const AGAIN = (afterMs: number) =>
  settlement({ outcome: { kind: "retry", code: "BUSY", detail: "busy" }, next: { kind: "again", afterMs } });
const HELD = settlement({ outcome: { kind: "hold", code: "45015", detail: "outside the window" }, next: { kind: "held" } });
const LOST = settlement({
  outcome: { kind: "uncertain", code: "SENDER_LOST", detail: "?" },
  next: { kind: "finished", state: "uncertain" },
});

/** What desk and customers got, in the order in which it left. */
type Ledger = Map<string, string[]>;

test.each([1, 2, 3])(
  "no lane is stuck and nothing is lost, doubled or out of order, whoever interferes (seed %i)",
  async (seed) => {
    const { outbox, inbound, outbound } = opened.store;
    const contacts = Array.from({ length: CONVERSATIONS }, (_, index) => `oContact${index}`);
    const ledger: Ledger = new Map();
    const inboundIds = new Map<string, string[]>(contacts.map((openId) => [openId, []]));
    let counter = 0;
    const note = ({ conversationId, direction }: Claim, { message }: ClaimedEntry) => {
      const key = `${conversationId} ${direction}`;
      ledger.set(key, [...(ledger.get(key) ?? []), message.id]);
    };

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
        openForMs: pickOne(random, [0, 5, 40]),
        lookForMs: 0,
        allowance: { windowMs: 60_000, repliesMax: 5 },
      });
      if (received === undefined) throw new Error("nothing was stored");
      inboundIds.get(openId)?.push(received.messageId);
      if (received.openUntil !== null && random() < 0.7) {
        await callback(random, openId, received.messageId);
        await outbox.closeCallback({ conversationId: received.conversationId, openUntil: received.openUntil });
      }
    };

    const agent = async (random: Random) => {
      const openId = pickOne(random, contacts);
      counter++;
      await enqueueReply({ outbound }, openId, `${counter}`, { dedupeKey: `push-${counter}` });
    };

    const callback = async (random: Random, openId: string, messageId: string) => {
      const conversationId = toConversationId("shop", openId);
      const holder = newHolder("callback");
      const { claim, answer } = await outbox.claimForCallback({ conversationId, messageId, holder, entriesMax: 1, leaseMs: LEASE_MS });
      const [entry] = claim?.entries ?? [];
      if (answer !== null || claim === null || entry === undefined) return;
      if (entry.begun !== null) {
        await outbox.settle(claim, entry, LOST, { keepForMs: null });
        return;
      }
      const answers = {
        inboundId: messageId,
        answer: { messageIds: [entry.message.id], content: entry.message.content, createdAt: new Date() },
      };
      if (random() < 0.2) return outbox.release(claim);
      if (!(await outbox.begin(claim, [entry], "passive", LEASE_MS, answers))) return outbox.release(claim);
      const end = pickOne(random, ["given", "given", "withdrawn", "repeated", "died"] as const);
      if (end === "withdrawn") {
        await outbox.withdraw(claim, messageId);
        return;
      }
      note(claim, entry);
      if (end === "given") await outbox.settle(claim, entry, settlement({ way: "passive" }), { keepForMs: null });
      if (end === "repeated") await outbox.confirmAnswer(messageId);
    };

    const worker = async (random: Random) => {
      const holder = newHolder("worker");
      const lane = {
        conversationId: toConversationId("shop", pickOne(random, contacts)),
        direction: pickOne<Direction>(random, ["inbound", "outbound"]),
      };
      const claims =
        random() < 0.5
          ? await outbox.claimDue({ holder, lanesMax: 3, entriesMax: 2, leaseMs: LEASE_MS, roomOfEach: 64, rooms: [] })
          : [await outbox.claimLane(lane, { holder, entriesMax: 3, leaseMs: LEASE_MS })].flatMap((claim) => claim ?? []);
      for (const claim of claims) await work(random, claim);
    };

    const work = async (random: Random, given: Claim) => {
      if (given.entries.length === 0) return outbox.release(given);
      let claim = given;
      for (const [index, entry] of given.entries.entries()) {
        if (random() < 0.1) return outbox.release(claim);
        if (random() < 0.05) return outbox.releaseAll(claim.holder);
        const settled = await tryOnce(random, claim, entry, index + 1 < given.entries.length);
        if (settled === null) return;
        claim = { ...claim, claimNumber: settled.claimNumber };
      }
    };

    /** Some answers get lost on their way, whether or not the work was done. */
    const settle = async (random: Random, ...given: Parameters<typeof outbox.settle>) => {
      const settled = await outbox.settle(...given);
      return random() < 0.2 ? outbox.settle(...given) : settled;
    };

    /** Null when the next entry of the claim may not be tried. */
    const tryOnce = async (random: Random, claim: Claim, entry: ClaimedEntry, hasMore: boolean): Promise<Settled | null> => {
      const keepForMs = hasMore ? LEASE_MS : null;
      if (claim.direction === "outbound") {
        if (entry.begun !== null) return settle(random, claim, entry, LOST, { keepForMs });
        if (!(await outbox.begin(claim, [entry], "async", LEASE_MS))) return null;
      }
      const end = pickOne(random, ["done", "done", "done", "again", "held", "died", "late"] as const);
      if (end === "again" || (end === "held" && claim.direction === "inbound")) {
        await settle(random, claim, entry, AGAIN(Math.floor(random() * 4)), { keepForMs: null });
        return null;
      }
      if (end === "held") {
        await settle(random, claim, entry, HELD, { keepForMs: null });
        return null;
      }
      note(claim, entry);
      if (end === "died") return null;
      if (end === "late") await Promise.all([customer(random), agent(random), worker(random)]);
      const state = claim.direction === "inbound" ? "forwarded" : "sent";
      const settled = await settle(random, claim, entry, settlement({ next: { kind: "finished", state } }), { keepForMs });
      return hasMore ? settled : null;
    };

    const live = async (act: (random: Random) => Promise<void>, actor: number) => {
      const random = createRandom(seed * 1_000 + actor);
      for (let index = 0; index < ACTS; index++) await act(random);
    };
    await Promise.all([customer, agent, worker, worker, customer, agent, worker, worker].map(live));

    // The contacts write once more, so that what is held has its chance; then one diligent worker is left.
    for (const openId of contacts) {
      await inbound.record({
        messageId: newMessageId(new Date()),
        conversationId: toConversationId("shop", openId),
        accountId: "shop",
        message: {
          openId,
          dedupeKey: `last-${openId}`,
          vendorMessageId: null,
          sentAt: new Date(),
          content: { type: "text", text: "last" },
        },
        forward: true,
        openForMs: 0,
        lookForMs: 0,
        allowance: null,
      });
    }
    const drain = async () => {
      const claims = await outbox.claimDue({
        holder: "worker-last",
        lanesMax: 64,
        entriesMax: 10,
        leaseMs: 5_000,
        roomOfEach: 64,
        rooms: [],
      });
      for (const claim of claims) {
        expect(claim.entries).not.toEqual([]);
        let { claimNumber } = claim;
        for (const [index, entry] of claim.entries.entries()) {
          const keepForMs = index + 1 < claim.entries.length ? 5_000 : null;
          if (entry.begun === null) note(claim, entry);
          const state = claim.direction === "inbound" ? "forwarded" : "sent";
          const end = entry.begun === null ? settlement({ next: { kind: "finished", state } }) : LOST;
          const settled = await outbox.settle({ ...claim, claimNumber }, entry, end, { keepForMs });
          if (settled === null) throw new Error("the last worker was overtaken");
          claimNumber = settled.claimNumber;
        }
      }
      return opened.database.prisma.outboxEntry.count();
    };
    await eventually("every lane to be empty", drain, (left) => left === 0, 5_000);

    const lanes = await opened.database.prisma.outboxLane.findMany();
    for (const { pending, dueAt, holder } of lanes) expect({ pending, dueAt, holder }).toEqual({ pending: 0, dueAt: null, holder: null });
    for (const openId of contacts) {
      const conversationId = toConversationId("shop", openId);
      const stored = await opened.database.prisma.message.findMany({ where: { conversationId }, orderBy: { seq: "asc" } });
      for (const direction of ["inbound", "outbound"]) {
        const messages = stored.filter((message) => message.direction === direction);
        const left = ledger.get(`${conversationId} ${direction}`) ?? [];
        // The desk may be told twice, when a worker died or came late; a customer may not.
        const first = left.filter((id, index) => left.indexOf(id) === index);
        // Uncertain is also what was begun and then not sent.
        const told = messages.filter(({ id, state }) => state !== "uncertain" || left.includes(id));
        expect(first).toEqual(told.map(({ id }) => id));
        if (direction === "outbound") expect(left).toEqual(first);
        expect(messages.filter(({ state }) => !["forwarded", "sent", "uncertain"].includes(state))).toEqual([]);
      }
    }
  },
  60_000,
);
