import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import type { StatusReport } from "../../src/domain/conversation.ts";
import { newHolder, newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { Claim } from "../../src/domain/queue.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../support/store.ts";

const CONVERSATION = { conversationId: toConversationId("shop", "oA"), accountId: "shop", openId: "oA" };

let opened: TestStore;
let counter = 0;

beforeEach(async () => {
  opened = await openTestStore();
  await opened.store.accounts.create(newAccount("shop"), TESTER);
});

afterEach(() => opened.close());

/** A message of the contact, claimed by a worker. */
async function ask(): Promise<Claim> {
  counter++;
  await opened.store.inbound.record({
    ...CONVERSATION,
    messageId: newMessageId(new Date()),
    message: {
      openId: "oA",
      dedupeKey: `key-${counter}`,
      vendorMessageId: String(counter),
      sentAt: new Date(),
      content: { type: "text", text: "hello" },
    },
    forward: true,
    openForMs: 0,
    openForQueryMs: 0,
    allowance: null,
  });
  const queue = { conversationId: CONVERSATION.conversationId, direction: "inbound" } as const;
  const claim = await opened.store.queues.claimQueue(queue, { holder: newHolder("worker"), messagesMax: 1, leaseMs: 30_000 });
  if (claim === null) throw new Error("the inbound queue is not due");
  return claim;
}

async function answer(claim: Claim, status: StatusReport, askedAtMs: number): Promise<void> {
  const [queued] = claim.messages;
  if (queued === undefined) throw new Error("the claim has no messages");
  const settled = await opened.store.queues.settle(
    claim,
    [queued],
    {
      outcome: { kind: "done" },
      next: { kind: "finished", state: "forwarded" },
      way: null,
      attempt: { startedAt: new Date(), durationMs: 1 },
      report: { status, askedAtMs },
    },
    { keepForMs: null },
  );
  expect(settled).not.toBeNull();
}

const byAnswer = async (status: StatusReport) => answer(await ask(), status, performance.now());
const byPush = (status: StatusReport) => opened.store.outbound.report(CONVERSATION, status);
const shown = () => opened.store.conversations.get(CONVERSATION.conversationId, ALL_ACCOUNTS);

describe.each([
  ["an answer", byAnswer],
  ["a push", byPush],
])("by %s", (_, report) => {
  test("chatting after a place in the queue has turn 0", async () => {
    await report({ status: "queueing", turn: 4, agentName: null });
    await report({ status: "chatting" });
    expect(await shown()).toMatchObject({ status: "chatting", turn: 0, agentName: null });
  });

  test("going offline clears agent and turn", async () => {
    await report({ status: "chatting", turn: 0, agentName: "Lily" });
    await report({ status: "offline", turn: 0 });
    expect(await shown()).toMatchObject({ status: "offline", turn: null, agentName: null });
  });

  test("queueing again clears agent and turn of the chat before", async () => {
    await report({ status: "chatting", turn: 0, agentName: "Lily" });
    await report({ status: "queueing" });
    expect(await shown()).toMatchObject({ status: "queueing", turn: null, agentName: null });
  });

  test("chatting on keeps the agent who is not named again", async () => {
    await report({ status: "chatting", turn: 0, agentName: "Lily", notice: "Lily is serving you!" });
    await report({ status: "chatting" });
    expect(await shown()).toMatchObject({ status: "chatting", turn: 0, agentName: "Lily", notice: "Lily is serving you!" });
  });
});

test("an answer to a question from before a push changes nothing, one from after it does", async () => {
  const claim = await ask();
  const askedAtMs = performance.now() - 5_000;
  await byPush({ status: "chatting", agentName: "Lily" });
  await answer(claim, { status: "queueing", turn: 4 }, askedAtMs);
  expect(await shown()).toMatchObject({ status: "chatting", agentName: "Lily" });
  await byAnswer({ status: "queueing", turn: 3 });
  expect(await shown()).toMatchObject({ status: "queueing", turn: 3, agentName: null });
});

test("a status whose moment lies ahead of the database's clock does not keep newer ones out", async () => {
  await byPush({ status: "queueing", turn: 4 });
  await opened.database.prisma.$executeRaw`UPDATE conversations SET status_at = now() + interval '30 seconds'`;
  await byAnswer({ status: "chatting", agentName: "Lily" });
  expect(await shown()).toMatchObject({ status: "chatting", agentName: "Lily" });
  await opened.database.prisma.$executeRaw`UPDATE conversations SET status_at = now() + interval '30 seconds'`;
  await byPush({ status: "offline" });
  const conversation = await shown();
  expect(conversation).toMatchObject({ status: "offline" });
  const [clock] = await opened.database.prisma.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
  expect(conversation?.statusAt?.getTime()).toBeLessThanOrEqual((clock?.now.getTime() ?? 0) + 1);
});
