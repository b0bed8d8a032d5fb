import { afterEach, beforeEach, expect, test } from "vitest";
import type { Log } from "../../src/base/log.ts";
import { createSignals } from "../../src/base/signals.ts";
import { createDelivery, type Delivery, type DeliveryOptions } from "../../src/delivery/delivery.ts";
import type { Step } from "../../src/delivery/run-queue.ts";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { Direction } from "../../src/domain/message.ts";
import type { QueuedMessage, Settlement } from "../../src/domain/queue.ts";
import { eventually } from "../support/gateway.ts";
import { enqueueReply } from "../support/reply.ts";
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
    openForQueryMs: 0,
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
  const { queues } = opened.store;
  const delivery = createDelivery({ queues, signals: createSignals(), log: SILENT, steps, leaseMs: 30_000, pollMs: 20, ...options });
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

const claimed = () => opened.database.prisma.conversation.findMany({ where: { inboundHolder: { not: null } } });
const untilClaimed = () => eventually("the queue to be claimed", claimed, ({ length }) => length > 0);

/** A step that waits at a gate which the test opens. */
function createGate() {
  let open = () => {};
  const opens = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opens, open: () => open() };
}

test("messages of a queue are tried in order, one at a time, also while more are added", async () => {
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

test("while something more urgent is to be done only a few queues are worked at once, and all when it is over", async () => {
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
  // What comes finds no slot, and no poll brings more.
  await write("oOne", "more", delivery);
  expect(underWay).toBe(8);
  isPressed = false;
  await expect.poll(() => underWay).toBe(21);
  gate.open();
  for (const message of written) await untilState(message, "forwarded");
});

test("a queue that is stuck holds up no other", async () => {
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

test("work that is enqueued is tried at once, and the end of a long queue does not wait for the next poll", async () => {
  const delivery = start(async () => FORWARDED, { pollMs: 600_000 });
  const first = await write("oA", "hello", delivery);
  await untilState(first, "forwarded");
  for (let round = 0; round < 20; round++) await untilState(await write("oA", `${round}`, delivery), "forwarded");
  let last = "";
  for (let index = 0; index < 45; index++) last = await write("oB", `${index}`);
  delivery.deliver({ conversationId: toConversationId("shop", "oB"), accountId: "shop", direction: "inbound" });
  await untilState(last, "forwarded");
});

test("more queues than a worker has slots for are worked on as slots get free, without waiting for the next poll", async () => {
  const contacts = Array.from({ length: 150 }, (_, index) => `oContact${index}`);
  const messages = await Promise.all(contacts.map((openId) => write(openId, "hello")));
  const delivery = start(async () => FORWARDED, { pollMs: 60_000 });
  const late = await Promise.all(contacts.map((openId) => write(openId, "and another", delivery)));
  for (const messageId of [...messages, ...late]) await untilState(messageId, "forwarded");
});

test("queues that are left when a poll brings more than there are slots for are worked on as slots get free", async () => {
  const { queues } = opened.store;
  const contacts = Array.from({ length: 200 }, (_, index) => `oContact${index}`);
  const messages = await Promise.all(contacts.map((openId) => write(openId, "hello")));
  const [poll, firstTry, tries] = [createGate(), createGate(), createGate()];
  const slow = {
    ...queues,
    claimDue: async (...given: Parameters<typeof queues.claimDue>) => {
      await poll.opens;
      return queues.claimDue(...given);
    },
  };
  let begun = 0;
  const step = async () => {
    await (++begun === 1 ? firstTry : tries).opens;
    return FORWARDED;
  };
  let polls = 0;
  const awayDesks = () => {
    polls++;
    return [];
  };
  const delivery = start(step, { queues: slow, awayDesks, pollMs: 60_000 });
  await eventually(
    "a poll",
    async () => polls,
    (count) => count === 1,
  );
  for (const openId of contacts) {
    delivery.deliver({ conversationId: toConversationId("shop", openId), accountId: "shop", direction: "inbound" });
  }
  await eventually(
    "all slots to be taken",
    async () => begun,
    (count) => count === 64,
  );
  poll.open();
  await eventually(
    "the poll to bring as many again",
    async () => begun,
    (count) => count === 128,
  );
  firstTry.open();
  await eventually(
    "a poll while there are more than there are slots",
    async () => polls,
    (count) => count === 2,
  );
  tries.open();
  for (const messageId of messages) await untilState(messageId, "forwarded");
});

test("what another process stored is found by polling", async () => {
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

test("a settle whose answer is lost is repeated, and the queue goes on: nothing waits for a lease, nothing counts twice", async () => {
  const { queues } = opened.store;
  const lost = new Set<string>();
  const forgetful = {
    ...queues,
    settle: async (...given: Parameters<typeof queues.settle>) => {
      const settled = await queues.settle(...given);
      const [, [queued]] = given;
      if (lost.size === lost.add(`${queued?.message.text} ${queued?.progress}`).size) return settled;
      throw new Error("the connection broke after the commit");
    },
  };
  const sent: Settlement = { ...FORWARDED, next: { kind: "finished", state: "sent" } };
  const parts = (progress: number): Settlement => ({ ...FORWARDED, next: { kind: "progressed", progress } });
  const say = async (text: string) => (await enqueueReply(opened.store, "oA", text, { dedupeKey: text })).messageId;
  const first = await say("in parts");
  const last = await say("last reply");
  const written = await Promise.all(["one", "two", "three"].map((text) => write("oA", text)));
  const steps: Record<Direction, Step> = {
    inbound: async () => FORWARDED,
    outbound: async (_claim, { message, progress }) => (message.text === "in parts" && progress < 20 ? parts(progress + 10) : sent),
  };
  start(steps.inbound, { steps, queues: forgetful, pollMs: 600_000 });
  await untilState(last, "sent");
  for (const messageId of written) await untilState(messageId, "forwarded");
  for (const [messageId, state, attempts] of [[first, "sent", 3], ...written.map((id) => [id, "forwarded", 1] as const)] as const) {
    const found = await opened.store.conversations.message(messageId, ALL_ACCOUNTS);
    expect(found?.message).toMatchObject({ state, attempts });
    expect(found?.attempts.map(({ number }) => number)).toEqual(Array.from({ length: attempts }, (_, index) => index + 1));
  }
});

test("a step that throws for a day leaves the message dead and the queue free", async () => {
  const broken = await write("oA", "broken");
  await opened.database.prisma.$executeRaw`UPDATE messages SET created_at = now() - interval '24 hours'`;
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
    (_claim, _queued, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(FORWARDED), { once: true })),
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
  await untilClaimed();
  await opened.database.prisma.$executeRaw`UPDATE conversations SET inbound_due_at = now() WHERE inbound_holder IS NOT NULL`;
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

test("a failed queue is tried again after its pause, however many others keep failing", async () => {
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
  // A new contact fails every few milliseconds, each asking for a poll in 200 ms.
  await eventually(
    "the first queue to be tried again",
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

  expect(await claimed()).toEqual([]);
  start(async () => FORWARDED);
  await untilState(late, "forwarded");
});

test("a stop cuts off what does not end within the grace, and its queue is due at once for the next process", async () => {
  const delivery = start(
    (_claim, _queued, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(again(0)), { once: true })),
  );
  const messageId = await write("oA", "hello", delivery);
  await untilClaimed();
  await delivery.stop(10);
  start(async () => FORWARDED);
  await untilState(messageId, "forwarded");
});

test("claims that a stop finds on their way are given back, not worked on", async () => {
  const gate = createGate();
  const { queues } = opened.store;
  const tried: QueuedMessage[] = [];
  const slowQueues = {
    ...queues,
    claimDue: async (...given: Parameters<typeof queues.claimDue>) => {
      const claims = await queues.claimDue(...given);
      if (claims.length > 0) await gate.opens;
      return claims;
    },
  };
  const messageId = await write("oA", "hello");
  const delivery = start(
    async (_claim, queued) => {
      tried.push(queued);
      return FORWARDED;
    },
    { queues: slowQueues },
  );
  await untilClaimed();
  const stopping = delivery.stop(5_000);
  gate.open();
  await stopping;
  expect(tried).toEqual([]);
  start(async () => FORWARDED);
  await untilState(messageId, "forwarded");
});
