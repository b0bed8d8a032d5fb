import { afterEach, describe, expect, test } from "vitest";
import { createSignals } from "../../src/base/signals.ts";
import { createDelivery, type Delivery } from "../../src/delivery/delivery.ts";
import type { Step } from "../../src/delivery/run-queue.ts";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import type { ReservedSlot } from "../../src/domain/delivery.ts";
import { newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { Settlement } from "../../src/domain/queue.ts";
import type { Change } from "../../src/domain/signals.ts";
import type { WorkerQueues } from "../../src/domain/store.ts";
import { CONTACT, useFlowStage } from "../flow/stage.ts";
import { eventually } from "../support/gateway.ts";

/* Messages that are worked from memory: their queue is claimed by the statement that stores them, for a slot that was reserved before. */

const stage = useFlowStage();

const running: Delivery[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((delivery) => delivery.stop(0)));
});

const SHARE = { accountId: CONTACT.accountId, direction: "inbound" } as const;
const QUEUE = { conversationId: CONTACT.conversationId, direction: "inbound" } as const;
/** Longer than every wait of these tests. */
const NEVER_MS = 600_000;

const FORWARDED: Settlement = {
  outcome: { kind: "done" },
  next: { kind: "finished", state: "forwarded" },
  way: null,
  attempt: { startedAt: new Date(), durationMs: 1 },
};
const FORWARD: Step = async () => FORWARDED;

function start(step: Step, { pollMs = NEVER_MS, change = {} as Partial<WorkerQueues> } = {}): Delivery {
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const queues = { ...stage.opened.store.queues, ...change };
  const steps = { inbound: step, outbound: step };
  const delivery = createDelivery({ queues, signals: createSignals<Change>(), log, steps, leaseMs: 30_000, pollMs });
  delivery.start();
  running.push(delivery);
  return delivery;
}

/** A slot, as soon as the process has sent a heartbeat. */
async function reserve(delivery: Delivery): Promise<ReservedSlot> {
  const slot = await eventually(
    "a slot",
    async () => delivery.reserve(SHARE),
    (found) => found !== null,
  );
  if (slot === null) throw new Error("there is no slot");
  return slot;
}

async function write(text: string, holder: string | null, openId = CONTACT.openId) {
  const content = { type: "text", text } as const;
  const contact = { accountId: CONTACT.accountId, openId, conversationId: toConversationId(CONTACT.accountId, openId) };
  const message = { openId, dedupeKey: text, vendorMessageId: null, sentAt: new Date(), content };
  const times = { forward: true, openForMs: 0, openForQueryMs: 0, allowance: null };
  return stage.opened.store.inbound.record({ ...contact, ...times, messageId: newMessageId(new Date()), message, holder });
}

async function writeClaimed(text: string, { holder }: ReservedSlot) {
  const { messageId, claim } = await write(text, holder);
  if (claim === null) throw new Error("the queue was not claimed");
  return { messageId, claim };
}

const find = (messageId: string) => stage.opened.store.conversations.message(messageId, ALL_ACCOUNTS);
const untilForwarded = (messageId: string) =>
  eventually(
    "the message to be forwarded",
    async () => (await find(messageId))?.message.state,
    (state) => state === "forwarded",
  );
const row = () => stage.opened.database.prisma.conversation.findFirstOrThrow();

/** Heartbeats that fail from `fail` on. */
function createHeart() {
  let isFailing = false;
  const beat: WorkerQueues["beat"] = async (...given) => {
    if (isFailing) throw new Error("the database does not answer");
    return stage.opened.store.queues.beat(...given);
  };
  return {
    change: { beat },
    fail: () => {
      isFailing = true;
    },
    mend: () => {
      isFailing = false;
    },
  };
}

/** Until the process knows that others may take it for dead. */
const untilStale = (delivery: Delivery) =>
  eventually(
    "the heartbeat to be too old",
    async () => {
      const slot = delivery.reserve(SHARE);
      slot?.giveBack();
      return slot;
    },
    (slot) => slot === null,
  );

test("a message whose queue was claimed as it was stored is forwarded without a poll, and then those behind it, in order", async () => {
  const tried: string[] = [];
  const delivery = start(async (_claim, { message }) => {
    tried.push(message.text);
    return FORWARDED;
  });
  const slot = await reserve(delivery);
  const { claim } = await writeClaimed("one", slot);
  // Stored before the first is tried: its queue is not empty, so nothing claims it and no lease ends it.
  const { messageId, claim: none } = await write("two", "another");
  expect(none).toBeNull();
  expect(await row()).toMatchObject({ inboundHolder: slot.holder, inboundDueAt: null });
  slot.work(claim);
  await untilForwarded(messageId);
  expect(tried).toEqual(["one", "two"]);
  expect(await row()).toMatchObject({ inboundHolder: null, inboundDueAt: null });
});

test("a claim whose next messages cannot be found is given back, not kept", async () => {
  let reads = 0;
  const next: WorkerQueues["next"] = async (...given) => (reads++ === 0 ? [] : stage.opened.store.queues.next(...given));
  const delivery = start(FORWARD, { pollMs: 20, change: { next } });
  const slot = await reserve(delivery);
  const { claim } = await writeClaimed("one", slot);
  const { messageId } = await write("two", null);
  slot.work(claim);
  await untilForwarded(messageId);
  expect(reads).toBe(1);
});

test("a message that is stored before the answer to its predecessor's settle is read is forwarded too", async () => {
  let isHeldBack = true;
  let answer = () => {};
  const settle: WorkerQueues["settle"] = async (...given) => {
    const settled = await stage.opened.store.queues.settle(...given);
    if (isHeldBack) await new Promise<void>((resolve) => (answer = resolve));
    return settled;
  };
  const delivery = start(FORWARD, { change: { settle } });
  const first = await reserve(delivery);
  const one = await writeClaimed("one", first);
  first.work(one.claim);
  await untilForwarded(one.messageId);
  const second = await reserve(delivery);
  const two = await writeClaimed("two", second);
  isHeldBack = false;
  second.work(two.claim);
  await untilForwarded(two.messageId);
  // Once more the same claim: it is worked on, or has been.
  answer();
  expect(await row()).toMatchObject({ inboundHolder: null, inboundDueAt: null });
});

test("claims that find no slot wait in memory for one, in the order of coming and only so many; further messages are left to the poll", async () => {
  const tried: string[] = [];
  const open: (() => void)[] = [];
  const delivery = start(async (_claim, { message }) => {
    tried.push(message.text);
    await new Promise<void>((resolve) => open.push(resolve));
    return FORWARDED;
  });
  const first = await reserve(delivery);
  const reserved = [first];
  for (let slot = delivery.reserve(SHARE); slot !== null; slot = delivery.reserve(SHARE)) reserved.push(slot);
  const slots = 64;
  expect(reserved.length).toBe(slots + 128);
  for (const slot of reserved.slice(slots + 2)) slot.giveBack();

  const stored = await Promise.all(reserved.slice(0, slots + 2).map((slot, index) => write(`${index}`, slot.holder, `o${index}`)));
  for (const [index, { claim }] of stored.entries()) if (claim !== null) reserved[index]?.work(claim);
  await eventually(
    "all slots to be busy",
    async () => open.length,
    (length) => length === slots,
  );
  expect(tried).toEqual(stored.slice(0, slots).map((_, index) => `${index}`));
  open.shift()?.();
  open.shift()?.();
  await eventually(
    "those that waited",
    async () => tried.slice(slots),
    (waited) => waited.length === 2,
  );
  expect(tried.slice(slots)).toEqual([`${slots}`, `${slots + 1}`]);
  for (const end of open) end();
  await Promise.all(stored.map(({ messageId }) => untilForwarded(messageId)));
  // Everything was given back: as much can be reserved again.
  await eventually(
    "the slots to be free",
    async () => {
      const again: ReservedSlot[] = [];
      for (let slot = delivery.reserve(SHARE); slot !== null; slot = delivery.reserve(SHARE)) again.push(slot);
      for (const slot of again) slot.giveBack();
      return again.length;
    },
    (count) => count === slots + 128,
  );
});

test("a claim that the process cannot have learnt of is given back by name, and worked", async () => {
  const delivery = start(FORWARD, { pollMs: 20 });
  const slot = await reserve(delivery);
  const { messageId } = await writeClaimed("hello", slot);
  slot.lose(QUEUE);
  await untilForwarded(messageId);
});

test("a claim that comes when others may take its process for dead is not worked from memory, but given back", async () => {
  const heart = createHeart();
  const tried: (Date | null)[] = [];
  const step: Step = async () => {
    tried.push((await row()).inboundDueAt);
    return FORWARDED;
  };
  const delivery = start(step, { pollMs: 20, change: heart.change });
  const slot = await reserve(delivery);
  const { messageId, claim } = await writeClaimed("hello", slot);
  heart.fail();
  await untilStale(delivery);
  slot.work(claim);
  await untilForwarded(messageId);
  // Under a lease: it was claimed anew.
  expect(tried).toEqual([expect.any(Date)]);
  heart.mend();
  (await reserve(delivery)).giveBack();
});

test("a settle that fails for good gives its claim back by name: the message is tried again, without a lease to wait for", async () => {
  const { queues } = stage.opened.store;
  let isAway = true;
  const settle: WorkerQueues["settle"] = async (...given) => {
    if (isAway) throw new Error("the database does not answer");
    return queues.settle(...given);
  };
  let tries = 0;
  const step: Step = async () => {
    if (++tries === 2) isAway = false;
    return FORWARDED;
  };
  const delivery = start(step, { pollMs: 20, change: { settle } });
  const slot = await reserve(delivery);
  const { messageId, claim } = await writeClaimed("hello", slot);
  slot.work(claim);
  await untilForwarded(messageId);
  expect(tries).toBe(2);
});

test("a stop waits for a message that is being stored, and gives its claim back", async () => {
  const tried: string[] = [];
  const delivery = start(async (_claim, { message }) => {
    tried.push(message.text);
    return FORWARDED;
  });
  const slot = await reserve(delivery);
  let hasStopped = false;
  const stopping = delivery.stop(1_000).then(() => {
    hasStopped = true;
  });
  // More statements than a stop has.
  for (let statement = 0; statement < 30; statement++) await stage.opened.database.prisma.message.count();
  expect(hasStopped).toBe(false);
  const { messageId, claim } = await writeClaimed("hello", slot);
  slot.work(claim);
  await stopping;
  expect(tried).toEqual([]);
  expect(await row()).toMatchObject({ inboundHolder: null, inboundDueAt: expect.any(Date) });
  start(FORWARD);
  await untilForwarded(messageId);
});

test("a stop gives back a lost claim, however long the database was away", async () => {
  const delivery = start(FORWARD);
  const slot = await reserve(delivery);
  const { messageId } = await writeClaimed("hello", slot);
  await stage.opened.database.prisma.$executeRaw`UPDATE conversations SET active_at = now() - interval '1 day'`;
  slot.lose(QUEUE);
  await delivery.stop(0);
  expect(await row()).toMatchObject({ inboundHolder: null, inboundDueAt: expect.any(Date) });
  start(FORWARD);
  await untilForwarded(messageId);
});

test("a claim that is written after its queue was released, by a statement that outlived its connection, is released too", async () => {
  let released = 0;
  const releaseLost: WorkerQueues["releaseLost"] = async (...given) => {
    await stage.opened.store.queues.releaseLost(...given);
    released++;
  };
  const delivery = start(FORWARD, { pollMs: 20, change: { releaseLost } });
  const slot = await reserve(delivery);
  slot.lose(QUEUE);
  await eventually(
    "a release",
    async () => released,
    (count) => count > 0,
  );
  const { messageId } = await writeClaimed("hello", slot);
  await untilForwarded(messageId);
});

test("a claim in memory that waits for a slot is not released because a later message of its contact could not be stored", async () => {
  const tried: string[] = [];
  let polls = 0;
  const claimDue: WorkerQueues["claimDue"] = (given) => {
    polls++;
    return stage.opened.store.queues.claimDue(given);
  };
  const delivery = start(
    async (_, { message }) => {
      tried.push(message.text);
      return FORWARDED;
    },
    { pollMs: 20, change: { claimDue } },
  );
  await reserve(delivery).then(({ giveBack }) => giveBack());
  const slots: ReservedSlot[] = [];
  for (let slot = delivery.reserve(SHARE); slot !== null; slot = delivery.reserve(SHARE)) slots.push(slot);
  // The last one stands in the line for a slot.
  const last = slots.pop() as ReservedSlot;
  const { messageId, claim } = await writeClaimed("hello", last);
  last.work(claim);
  (slots.pop() as ReservedSlot).lose(QUEUE);
  const pollsBefore = polls;
  await eventually(
    "two polls after that",
    async () => polls,
    (count) => count >= pollsBefore + 4,
  );
  expect(await row()).toMatchObject({ inboundHolder: last.holder, inboundDueAt: null });
  for (const slot of slots) slot.giveBack();
  await untilForwarded(messageId);
  expect(tried).toEqual(["hello"]);
});

test("a search for the claims of the dead, however long it takes, ends no heartbeat", async () => {
  let finish = () => {};
  const searched = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let beatsInSearch = 0;
  let isSearching = false;
  const beat: WorkerQueues["beat"] = async (...given) => {
    if (isSearching) beatsInSearch++;
    await stage.opened.store.queues.beat(...given);
    return ["worker-dead"];
  };
  const freeClaims: WorkerQueues["freeClaims"] = async () => {
    isSearching = true;
    await searched;
  };
  const delivery = start(FORWARD, { change: { beat, freeClaims } });
  await eventually(
    "heartbeats for longer than a process without them is taken for alive",
    async () => beatsInSearch,
    (count) => count >= 5,
  );
  finish();
  (await reserve(delivery)).giveBack();
});

describe.runIf(process.env.TEST_DATABASE_URL)("two sessions", () => {
  test("a claim that is written after its process has stopped, by a statement that outlived it, is freed by another process", async () => {
    const delivery = start(FORWARD);
    const slot = await reserve(delivery);
    slot.lose(QUEUE);
    await delivery.stop(0);
    const { messageId } = await writeClaimed("hello", slot);
    start(FORWARD);
    await untilForwarded(messageId);
  });

  test("a lost claim whose row another session keeps locked holds up no other queue, and is given back after that", async () => {
    const delivery = start(FORWARD, { pollMs: 20 });
    const slot = await reserve(delivery);
    const { messageId } = await writeClaimed("locked", slot);
    const { prisma } = stage.opened.database;
    await prisma.$transaction(
      async (session) => {
        await session.$executeRaw`SELECT FROM conversations FOR UPDATE`;
        slot.lose(QUEUE);
        await untilForwarded((await write("another", null, "oB")).messageId);
        expect((await find(messageId))?.message.state).toBe("received");
      },
      { timeout: 60_000 },
    );
    await untilForwarded(messageId);
  });
});

describe.runIf(process.env.TEST_DATABASE_URL)("two processes", () => {
  test("the claim of a process without a heartbeat is freed for the other one, and what the first then says changes nothing", async () => {
    const heart = createHeart();
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const first = start(
      async () => {
        await finished;
        return { ...FORWARDED, next: { kind: "finished", state: "dead" } };
      },
      { change: heart.change },
    );
    const slot = await reserve(first);
    const { messageId, claim } = await writeClaimed("hello", slot);
    slot.work(claim);
    heart.fail();
    start(FORWARD);
    await untilForwarded(messageId);
    finish();
    await first.stop(1_000);
    expect((await find(messageId))?.message).toMatchObject({ state: "forwarded", attempts: 1 });
  });

  test("the claim of a process that sends heartbeats is left to it, however long it holds it", async () => {
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const tried: string[] = [];
    const first = start(async () => {
      tried.push("first");
      await finished;
      return FORWARDED;
    });
    const slot = await reserve(first);
    const { messageId, claim } = await writeClaimed("hello", slot);
    slot.work(claim);
    let beats = 0;
    const beat: WorkerQueues["beat"] = async (...given) => {
      beats++;
      return stage.opened.store.queues.beat(...given);
    };
    start(
      async () => {
        tried.push("second");
        return FORWARDED;
      },
      { pollMs: 20, change: { beat } },
    );
    await eventually(
      "several times the heartbeats that a dead process is given",
      async () => beats,
      (count) => count >= 10,
    );
    finish();
    await untilForwarded(messageId);
    expect(tried).toEqual(["first"]);
  });
});
