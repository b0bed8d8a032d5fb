import { afterEach, expect, test } from "vitest";
import { createSignals } from "../../src/base/signals.ts";
import { createDelivery, type Delivery } from "../../src/delivery/delivery.ts";
import type { Step } from "../../src/delivery/run-queue.ts";
import { newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { Settlement } from "../../src/domain/queue.ts";
import type { Change } from "../../src/domain/signals.ts";
import { CONTACT, useFlowStage } from "../flow/stage.ts";
import { eventually } from "../support/gateway.ts";

/* Claims in memory that wait for a slot in their own process. */

const stage = useFlowStage();

const running: Delivery[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((delivery) => delivery.stop(0)));
});

const { accountId } = CONTACT;
const SHARE = { accountId, direction: "inbound" } as const;
/** Of one share while something more urgent is to be done. */
const SLOTS = 8;
const CONTACTS = Array.from({ length: 20 }, (_, index) => `oContact${index}`);

const FORWARDED: Settlement = {
  outcome: { kind: "done" },
  next: { kind: "finished", state: "forwarded" },
  way: null,
  attempt: { startedAt: new Date(), durationMs: 1 },
};

/** No poll but the one at the start brings work. */
function start(step: Step): Delivery {
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const deps = { queues: stage.opened.store.queues, signals: createSignals<Change>(), log, leaseMs: 300_000, pollMs: 600_000 };
  const delivery = createDelivery({ ...deps, steps: { inbound: step, outbound: step }, isPressed: () => true });
  delivery.start();
  running.push(delivery);
  return delivery;
}

/** Each contact's message is claimed as it is stored. */
async function writeAll(delivery: Delivery): Promise<void> {
  for (const openId of CONTACTS) {
    const slot = await eventually(
      "a place for a claim",
      async () => delivery.reserve(SHARE),
      (found) => found !== null,
    );
    const messageId = newMessageId(new Date());
    const content = { type: "text", text: "hello" } as const;
    const message = { openId, dedupeKey: messageId, vendorMessageId: null, sentAt: new Date(), content };
    const ids = { messageId, conversationId: toConversationId(accountId, openId), accountId };
    const times = { forward: true, openForMs: 0, openForQueryMs: 0, allowance: null };
    const { claim } = await stage.opened.store.inbound.record({ ...ids, ...times, message, holder: slot?.holder ?? null });
    if (slot === null || claim === null) throw new Error("the queue was not claimed");
    slot.work(claim);
  }
}

const untilForwarded = () =>
  eventually(
    "all messages to be forwarded",
    () => stage.opened.database.prisma.message.count({ where: { state: "forwarded" } }),
    (count) => count === CONTACTS.length,
  );

test("claims that find no slot keep their place in memory, and are worked as slots get free, without a poll", async () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let underWay = 0;
  let most = 0;
  const delivery = start(async () => {
    most = Math.max(most, ++underWay);
    await opened;
    underWay--;
    return FORWARDED;
  });
  await writeAll(delivery);
  expect(underWay).toBe(SLOTS);
  open();
  await untilForwarded();
  expect(most).toBe(SLOTS);
});

test("a stop gives back the claims that wait for a slot untried, and the next process works on them", async () => {
  const tried: string[] = [];
  const delivery = start(
    (_claim, { message }, signal) =>
      new Promise((resolve) => {
        tried.push(message.id);
        const again = {
          ...FORWARDED,
          outcome: { kind: "retry", code: "AWAY", detail: "cut off" },
          next: { kind: "again", afterMs: 0 },
        } as const;
        signal.addEventListener("abort", () => resolve(again), { once: true });
      }),
  );
  await writeAll(delivery);
  await delivery.stop(10);
  expect(tried).toHaveLength(SLOTS);
  const rows = await stage.opened.database.prisma.conversation.findMany();
  expect(rows.map(({ inboundHolder }) => inboundHolder)).toEqual(CONTACTS.map(() => null));
  start(async () => FORWARDED);
  await untilForwarded();
});
