import { afterEach, beforeEach, expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { newHolder, toConversationId } from "../../src/domain/ids.ts";
import type { MessageState } from "../../src/domain/message.ts";
import { enqueueReply } from "../support/reply.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../support/store.ts";

let opened: TestStore;

beforeEach(async () => {
  opened = await openTestStore();
  await opened.store.accounts.create(newAccount("shop"), TESTER);
});

afterEach(() => opened.close());

const conversationId = toConversationId("shop", "oA");
const queue = { conversationId, direction: "outbound" } as const;
const options = { holder: newHolder("worker"), messagesMax: 20, leaseMs: 30_000 };

async function sayAndEnd(text: string, state: MessageState): Promise<string> {
  const { store } = opened;
  const { messageId } = await enqueueReply(store, "oA", text, { dedupeKey: `push:${text}` });
  const claim = await store.queues.claimQueue(queue, options);
  const [queued] = claim?.messages ?? [];
  if (claim === null || queued === undefined) throw new Error("nothing to claim");
  const attempt = { startedAt: new Date(), durationMs: 1 };
  const outcome = { kind: "rejected", code: "40003", detail: "unknown openid" } as const;
  await store.queues.settle(claim, [queued], { outcome, next: { kind: "finished", state }, way: "async", attempt }, { keepForMs: null });
  return messageId;
}

async function waiting(): Promise<string[]> {
  const claim = await opened.store.queues.claimQueue(queue, options);
  if (claim === null) return [];
  await opened.store.queues.release(claim);
  return claim.messages.map(({ message }) => message.text);
}

test("what did not arrive is queued again in its order, however often and from how many hands the button is pressed", async () => {
  const dead = await sayAndEnd("one", "dead");
  const failed = await sayAndEnd("two", "failed");
  await sayAndEnd("three", "sent");
  const uncertain = await sayAndEnd("four", "uncertain");
  const presses = await Promise.all(
    Array.from({ length: 5 }, () => opened.store.replays.replay({ accountId: "shop", limit: 100 }, ALL_ACCOUNTS, TESTER)),
  );
  expect(presses.flat().flatMap(({ messageIds }) => messageIds)).toEqual([dead, failed, uncertain]);
  expect(await waiting()).toEqual(["one", "two", "four"]);
  expect(await opened.store.conversations.get(conversationId, ALL_ACCOUNTS)).toMatchObject({ pending: { toCustomer: 3, dead: 0 } });
  expect((await opened.store.conversations.message(dead, ALL_ACCOUNTS))?.message).toMatchObject({ state: "queued", errorCode: null });
});

test("only the state, the account and the time that were asked for are enqueued", async () => {
  const dead = await sayAndEnd("one", "dead");
  await sayAndEnd("two", "failed");
  expect(await opened.store.replays.replay({ accountId: "other", limit: 100 }, ALL_ACCOUNTS, TESTER)).toEqual([]);
  expect(await opened.store.replays.replay({ until: new Date(0), limit: 100 }, ALL_ACCOUNTS, TESTER)).toEqual([]);
  expect(await opened.store.replays.replay({ since: new Date(0), states: ["dead"], limit: 100 }, ALL_ACCOUNTS, TESTER)).toEqual([
    { accountId: "shop", conversationId, messageIds: [dead] },
  ]);
  expect(await waiting()).toEqual(["one"]);
});

test("a held message has its chance at once, without a second queued", async () => {
  const { store } = opened;
  await enqueueReply(store, "oA", "held");
  const claim = await store.queues.claimQueue(queue, options);
  const [queued] = claim?.messages ?? [];
  if (claim === null || queued === undefined) throw new Error("nothing to claim");
  const hold = { outcome: { kind: "hold", code: "45015", detail: "outside the window" }, next: { kind: "held" }, way: "async" } as const;
  await store.queues.settle(claim, [queued], { ...hold, attempt: { startedAt: new Date(), durationMs: 1 } }, { keepForMs: null });
  expect(await waiting()).toEqual([]);
  await store.replays.replay({ messageId: queued.message.id, limit: 1 }, ALL_ACCOUNTS, TESTER);
  expect(await waiting()).toEqual(["held"]);
  expect(await store.conversations.get(conversationId, ALL_ACCOUNTS)).toMatchObject({ pending: { toCustomer: 1 } });
});
