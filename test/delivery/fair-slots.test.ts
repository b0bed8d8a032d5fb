import { expect, test } from "vitest";
import { createSignals } from "../../src/base/signals.ts";
import { createDelivery, type Delivery, type DeliveryOptions } from "../../src/delivery/delivery.ts";
import type { Step } from "../../src/delivery/run-queue.ts";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { Claim, Settlement } from "../../src/domain/queue.ts";
import type { Change } from "../../src/domain/signals.ts";
import { useFlowStage } from "../flow/stage.ts";
import { eventually } from "../support/gateway.ts";
import { newAccount, TESTER } from "../support/store.ts";

const stage = useFlowStage();

/** Longer than every wait of these tests: only a delivery in the test, or the poll at the start, brings work. */
const POLL_MS = 600_000;
const MANY = Array.from({ length: 150 }, (_, index) => `o${index}`);

const FORWARDED: Settlement = {
  outcome: { kind: "done" },
  next: { kind: "finished", state: "forwarded" },
  way: null,
  attempt: { startedAt: new Date(), durationMs: 1 },
};

async function write(accountId: string, openId: string, delivery?: Delivery): Promise<string> {
  const messageId = newMessageId(new Date());
  const conversationId = toConversationId(accountId, openId);
  const content = { type: "text", text: "hello" } as const;
  const message = { openId, dedupeKey: messageId, vendorMessageId: null, sentAt: new Date(), content };
  const times = { openForMs: 0, openForQueryMs: 0, allowance: null };
  await stage.opened.store.inbound.record({ messageId, conversationId, accountId, message, forward: true, ...times });
  delivery?.deliver({ conversationId, accountId, direction: "inbound" });
  return messageId;
}

const untilForwarded = (messageId: string) =>
  eventually(
    "the message to be forwarded",
    async () => (await stage.opened.store.conversations.message(messageId, ALL_ACCOUNTS))?.message.state,
    (state) => state === "forwarded",
  );

const untilHeld = (held: readonly Claim[], wanted: number) =>
  eventually(
    "queues of the slow account",
    async () => held.length,
    (count) => count === wanted,
  );

/** The account `slow` beside the stage's `shop`, and a step that waits in queues of the slow one until `release`. */
async function startBesideSlow(options: Partial<DeliveryOptions> = {}) {
  await stage.opened.store.accounts.create(newAccount("slow"), TESTER);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held: Claim[] = [];
  const step: Step = async (claim) => {
    if (claim.conversation.accountId !== "slow") return FORWARDED;
    held.push(claim);
    await released;
    return FORWARDED;
  };
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const deps = { queues: stage.opened.store.queues, signals: createSignals<Change>(), log, leaseMs: 300_000, pollMs: POLL_MS };
  const delivery = createDelivery({ ...deps, steps: { inbound: step, outbound: step }, ...options });
  return { delivery, held, release: () => release() };
}

test.each([
  ["", false, 64],
  [", in a rush too", true, 8],
])("queues of a slow account that are due first hold up no queue of another%s", async (_when, isPressed, slots) => {
  const { delivery, held, release } = await startBesideSlow({ isPressed: () => isPressed });
  const slow = await Promise.all(MANY.map((openId) => write("slow", openId)));
  const others = await Promise.all(MANY.map((openId) => write("shop", openId)));
  delivery.start();
  for (const messageId of others) await untilForwarded(messageId);
  await untilForwarded(await write("shop", "oLate", delivery));
  await untilHeld(held, slots);
  await untilForwarded(await write("shop", "oLater", delivery));
  expect(held).toHaveLength(slots);
  release();
  for (const messageId of slow) await untilForwarded(messageId);
  await delivery.stop(0);
});

test("queues of a slow account that are delivered here take its own slots only, and those that found none follow when one is free", async () => {
  const { delivery, held, release } = await startBesideSlow();
  delivery.start();
  const slow = await Promise.all(MANY.map((openId) => write("slow", openId, delivery)));
  await untilForwarded(await write("shop", "oA", delivery));
  // Twice its slots: those delivered here, and those of the poll that was under way at the time.
  expect(held.length).toBeLessThanOrEqual(128);
  release();
  for (const messageId of slow) await untilForwarded(messageId);
  await delivery.stop(0);
});

test("a desk that is away gets a few queues with a poll, and its backlog causes no further poll", async () => {
  const { delivery, held, release } = await startBesideSlow({ awayDesks: () => ["slow"] });
  release();
  await Promise.all(MANY.map((openId) => write("slow", openId)));
  const others = await Promise.all(MANY.map((openId) => write("shop", openId)));
  delivery.start();
  for (const messageId of others) await untilForwarded(messageId);
  await untilHeld(held, 8);
  await untilForwarded(await write("shop", "oLate", delivery));
  expect(held).toHaveLength(8);
  await delivery.stop(0);
});
