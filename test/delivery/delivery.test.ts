import { afterEach, beforeEach, expect, test } from "vitest";
import type { Log } from "../../src/base/log.ts";
import { createSignals } from "../../src/base/signals.ts";
import { createDelivery, type Delivery, type DeliveryOptions } from "../../src/delivery/delivery.ts";
import type { Step } from "../../src/delivery/run-lane.ts";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { ClaimedEntry, Settlement } from "../../src/domain/outbox.ts";
import { eventually } from "../support/gateway.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../support/store.ts";

let opened: TestStore;

beforeEach(async () => {
  opened = await openTestStore();
  await opened.store.accounts.create(newAccount("shop"), TESTER);
});

const running: Delivery[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((delivery) => delivery.stop(0)));
  await opened.close();
});

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let counter = 0;

/** A contact writes; the worker hears of it when `delivery` is given. */
async function write(openId: string, text: string, delivery?: Delivery, accountId = "shop"): Promise<string> {
  counter++;
  const conversationId = toConversationId(accountId, openId);
  const message = {
    openId,
    dedupeKey: `key-${counter}`,
    vendorMessageId: null,
    sentAt: new Date(),
    content: { type: "text", text } as const,
  };
  const messageId = newMessageId(new Date());
  await opened.store.inbound.record({
    messageId,
    conversationId,
    accountId,
    message,
    forward: true,
    openForMs: 0,
    lookForMs: 0,
    allowance: null,
  });
  delivery?.deliver({ conversationId, accountId, direction: "inbound" });
  return messageId;
}

const FORWARDED: Settlement = {
  outcome: { kind: "done" },
  next: { kind: "finished", state: "forwarded" },
  way: null,
  attempt: { startedAt: new Date(), durationMs: 1 },
};

const again = (afterMs: number): Settlement => ({
  ...FORWARDED,
  outcome: { kind: "retry", code: "DESK_HTTP_503", detail: "away" },
  next: { kind: "again", afterMs },
});

function start(step: Step, options: Partial<DeliveryOptions> = {}): Delivery {
  const steps = { inbound: step, outbound: step };
  const { outbox } = opened.store;
  const delivery = createDelivery({ outbox, signals: createSignals(), log: SILENT, steps, leaseMs: 30_000, pollMs: 20, ...options });
  delivery.start();
  running.push(delivery);
  return delivery;
}

const stateOf = async (messageId: string) => (await opened.store.conversations.message(messageId, ALL_ACCOUNTS))?.message.state;
const untilState = (messageId: string, state: string) =>
  eventually(
    `the message to be ${state}`,
    () => stateOf(messageId),
    (seen) => seen === state,
  );

/** A step that waits at a gate which the test opens. */
function createGate() {
  let open = () => {};
  const opens = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opens, open: () => open() };
}

test("entries of a lane are tried in order, one at a time, also while more are added", async () => {
  const tried: string[] = [];
  let underWay = 0;
  const delivery = start(async (_claim, { message }) => {
    expect(++underWay).toBe(1);
    tried.push(message.text);
    await new Promise((resolve) => setImmediate(resolve));
    underWay--;
    return FORWARDED;
  });
  const texts = Array.from({ length: 35 }, (_, number) => `${number}`);
  let last = "";
  for (const text of texts) last = await write("oA", text, delivery);
  await untilState(last, "forwarded");
  expect(tried).toEqual(texts);
});

test("while something more urgent is to be done only a few lanes are worked at once, and all when it is over", async () => {
  const gate = createGate();
  let isPressed = true;
  let underWay = 0;
  const written = await Promise.all(Array.from({ length: 20 }, (_, index) => write(`o${index}`, "hello")));
  const delivery = start(
    async () => {
      underWay++;
      await gate.opens;
      return FORWARDED;
    },
    { isPressed: () => isPressed },
  );
  await expect.poll(() => underWay).toBe(8);
  // What comes finds no place, and no look brings more.
  await write("oOne", "more", delivery);
  expect(underWay).toBe(8);
  isPressed = false;
  await expect.poll(() => underWay).toBe(21);
  gate.open();
  for (const message of written) await untilState(message, "forwarded");
});

test("a lane that is stuck holds up no other", async () => {
  const gate = createGate();
  const delivery = start(async (claim) => {
    if (claim.conversation.openId === "oStuck") await gate.opens;
    return FORWARDED;
  });
  const stuck = await write("oStuck", "hello", delivery);
  const others = await Promise.all(Array.from({ length: 10 }, (_, index) => write(`o${index}`, "hello", delivery)));
  for (const other of others) await untilState(other, "forwarded");
  expect(await stateOf(stuck)).toBe("received");
  gate.open();
  await untilState(stuck, "forwarded");
});

test("work that is enqueued is tried at once, and the end of a long queue does not wait for the next look", async () => {
  const delivery = start(async () => FORWARDED, { pollMs: 600_000 });
  const first = await write("oA", "hello", delivery);
  await untilState(first, "forwarded");
  for (let round = 0; round < 20; round++) await untilState(await write("oA", `${round}`, delivery), "forwarded");
  let last = "";
  for (let index = 0; index < 45; index++) last = await write("oB", `${index}`);
  delivery.deliver({ conversationId: toConversationId("shop", "oB"), accountId: "shop", direction: "inbound" });
  await untilState(last, "forwarded");
});

test("more lanes than a worker has places for are worked on as places get free, without waiting for the next look", async () => {
  const contacts = Array.from({ length: 150 }, (_, index) => `oContact${index}`);
  const messages = await Promise.all(contacts.map((openId) => write(openId, "hello")));
  const delivery = start(async () => FORWARDED, { pollMs: 60_000 });
  const late = await Promise.all(contacts.map((openId) => write(openId, "and another", delivery)));
  for (const messageId of [...messages, ...late]) await untilState(messageId, "forwarded");
});

function gate() {
  let open = () => {};
  const isOpen = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { isOpen, open };
}

test("lanes that are left when a look brings more than there are places for are worked on as places get free", async () => {
  const { outbox } = opened.store;
  const contacts = Array.from({ length: 200 }, (_, index) => `oContact${index}`);
  const messages = await Promise.all(contacts.map((openId) => write(openId, "hello")));
  const [look, firstTry, tries] = [gate(), gate(), gate()];
  const slow = {
    ...outbox,
    claimDue: async (...given: Parameters<typeof outbox.claimDue>) => {
      await look.isOpen;
      return outbox.claimDue(...given);
    },
  };
  let begun = 0;
  const step = async () => {
    await (++begun === 1 ? firstTry : tries).isOpen;
    return FORWARDED;
  };
  let looks = 0;
  const awayDesks = () => {
    looks++;
    return [];
  };
  const delivery = start(step, { outbox: slow, awayDesks, pollMs: 60_000 });
  await eventually(
    "a look",
    async () => looks,
    (count) => count === 1,
  );
  for (const openId of contacts) {
    delivery.deliver({ conversationId: toConversationId("shop", openId), accountId: "shop", direction: "inbound" });
  }
  await eventually(
    "all places to be taken",
    async () => begun,
    (count) => count === 64,
  );
  look.open();
  await eventually(
    "the look to bring as many again",
    async () => begun,
    (count) => count === 128,
  );
  firstTry.open();
  await eventually(
    "a look while there are more than there are places",
    async () => looks,
    (count) => count === 2,
  );
  tries.open();
  for (const messageId of messages) await untilState(messageId, "forwarded");
});

test("what another process enqueued is found by looking", async () => {
  start(async () => FORWARDED);
  await untilState(await write("oA", "hello"), "forwarded");
});

test("a step that throws is tried again after a pause, and the fault is written down", async () => {
  let tries = 0;
  const delivery = start(async () => {
    if (++tries === 1) throw new Error("out of order");
    return FORWARDED;
  });
  const messageId = await write("oA", "hello", delivery);
  await untilState(messageId, "forwarded");
  const found = await opened.store.conversations.message(messageId, ALL_ACCOUNTS);
  expect(found?.attempts).toMatchObject([{ outcome: "retry", code: "INTERNAL", detail: "out of order" }, { outcome: "done" }]);
});

test("a settle whose answer is lost is repeated, and the lane goes on: nothing waits for a lease, nothing counts twice", async () => {
  const { outbox } = opened.store;
  const lost = new Set<string>();
  const forgetful = {
    ...outbox,
    settle: async (...given: Parameters<typeof outbox.settle>) => {
      const settled = await outbox.settle(...given);
      const [, { message, progress }] = given;
      if (lost.size === lost.add(`${message.text} ${progress}`).size) return settled;
      throw new Error("the connection broke after the commit");
    },
  };
  const first = await write("oA", "in parts");
  const last = await write("oA", "last");
  const parts = (progress: number): Settlement => ({ ...FORWARDED, next: { kind: "progressed", progress } });
  start(async (_claim, { message, progress }) => (message.text === "last" || progress === 20 ? FORWARDED : parts(progress + 10)), {
    outbox: forgetful,
    pollMs: 600_000,
  });
  await untilState(last, "forwarded");
  const found = await opened.store.conversations.message(first, ALL_ACCOUNTS);
  expect(found?.message).toMatchObject({ state: "forwarded", attempts: 3 });
  expect(found?.attempts.map(({ number }) => number)).toEqual([1, 2, 3]);
});

test("a step that throws for a day leaves the message dead and the lane free", async () => {
  const broken = await write("oA", "broken");
  await opened.database.prisma.$executeRaw`UPDATE outbox_entries SET enqueued_at = now() - interval '24 hours'`;
  const next = await write("oA", "next");
  start(async (_claim, { message }) => {
    if (message.text === "broken") throw new Error("out of order");
    return FORWARDED;
  });
  await untilState(next, "forwarded");
  expect(await stateOf(broken)).toBe("dead");
});

test("a step that outlasts its lease is cut off before it ends", async () => {
  const delivery = start(
    (_claim, _entry, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(FORWARDED), { once: true })),
    { leaseMs: 10_050 },
  );
  await untilState(await write("oA", "hello", delivery), "forwarded");
});

test("a worker that was overtaken changes nothing: the result of the one that took over stands", async () => {
  const gate = createGate();
  const results: string[] = [];
  const messageId = await write("oA", "hello");
  const slow = start(
    async () => {
      await gate.opens;
      results.push("slow");
      return { ...FORWARDED, next: { kind: "finished", state: "dead" } };
    },
    { pollMs: 600_000 },
  );
  await eventually(
    "the lane to be claimed",
    () => opened.database.prisma.outboxLane.findFirst({ where: { holder: { not: null } } }),
    (lane) => lane !== null,
  );
  await opened.database.prisma.$executeRaw`UPDATE outbox_lanes SET due_at = now() WHERE holder IS NOT NULL`;
  start(async () => {
    results.push("fast");
    return FORWARDED;
  });
  await untilState(messageId, "forwarded");
  gate.open();
  await slow.stop(1_000);
  expect(results).toEqual(["fast", "slow"]);
  expect(await stateOf(messageId)).toBe("forwarded");
  const next = await write("oA", "next");
  await untilState(next, "forwarded");
});

test("a failed lane is tried again after its pause, however many other lanes keep failing", async () => {
  const tried = new Map<string, number>();
  const delivery = start(
    async ({ conversation }) => {
      const tries = (tried.get(conversation.openId) ?? 0) + 1;
      tried.set(conversation.openId, tries);
      return conversation.openId === "oFirst" && tries > 1 ? FORWARDED : again(200);
    },
    { pollMs: 1_000 },
  );
  const first = await write("oFirst", "hello", delivery);
  let others = 0;
  // A new contact fails every few milliseconds, each wishing for a look in 200 ms.
  await eventually(
    "the first lane to be tried again",
    async () => {
      await write(`oOther${others++}`, "hello", delivery);
      return stateOf(first);
    },
    (state) => state === "forwarded",
  );
});

test("a stop waits for what is under way, takes nothing new, and gives back the rest", async () => {
  const gate = createGate();
  const tried: string[] = [];
  const delivery = start(async (_claim, { message }) => {
    tried.push(message.text);
    await gate.opens;
    return FORWARDED;
  });
  const first = await write("oA", "one", delivery);
  await eventually(
    "the first try",
    async () => tried.length,
    (count) => count === 1,
  );
  const stopping = delivery.stop(20_000);
  const late = await write("oB", "late", delivery);
  gate.open();
  await stopping;
  expect(delivery.isRunning()).toBe(false);
  expect(await stateOf(first)).toBe("forwarded");
  expect(tried).toEqual(["one"]);

  const lanes = await opened.database.prisma.outboxLane.findMany({ where: { holder: { not: null } } });
  expect(lanes).toEqual([]);
  start(async () => FORWARDED);
  await untilState(late, "forwarded");
});

test("a stop cuts off what does not end within the grace, and its lane is due at once for the next process", async () => {
  const delivery = start(
    (_claim, _entry, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(again(0)), { once: true })),
  );
  const messageId = await write("oA", "hello", delivery);
  await eventually(
    "the lane to be claimed",
    () => opened.database.prisma.outboxLane.findFirst({ where: { holder: { not: null } } }),
    (lane) => lane !== null,
  );
  await delivery.stop(10);
  start(async () => FORWARDED);
  await untilState(messageId, "forwarded");
});

test("claims that a stop finds on their way are given back, not worked on", async () => {
  const gate = createGate();
  const { outbox } = opened.store;
  const tried: ClaimedEntry[] = [];
  const slowOutbox = {
    ...outbox,
    claimDue: async (...given: Parameters<typeof outbox.claimDue>) => {
      const claims = await outbox.claimDue(...given);
      if (claims.length > 0) await gate.opens;
      return claims;
    },
  };
  const messageId = await write("oA", "hello");
  const delivery = start(
    async (_claim, entry) => {
      tried.push(entry);
      return FORWARDED;
    },
    { outbox: slowOutbox },
  );
  await eventually(
    "the lane to be claimed",
    () => opened.database.prisma.outboxLane.findFirst({ where: { holder: { not: null } } }),
    (lane) => lane !== null,
  );
  const stopping = delivery.stop(5_000);
  gate.open();
  await stopping;
  expect(tried).toEqual([]);
  start(async () => FORWARDED);
  await untilState(messageId, "forwarded");
});
