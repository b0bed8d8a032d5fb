import { afterEach, beforeEach, expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { newHolder, newMessageId, toConversationId } from "../../src/domain/ids.ts";
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

test("a held message has its chance at once, without a second place in its queue", async () => {
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

const inbound = (text: string, openForMs: number) =>
  opened.store.inbound.record({
    ...{
      conversationId,
      accountId: "shop",
      messageId: newMessageId(new Date()),
      forward: true,
      openForMs,
      openForQueryMs: 0,
      allowance: null,
    },
    message: { openId: "oA", dedupeKey: text, vendorMessageId: null, sentAt: new Date(), content: { type: "text", text } },
  });

const look = (messageId: string) =>
  opened.store.queues.claimForCallback({ conversationId, messageId, holder: newHolder("callback"), messagesMax: 20, leaseMs: 30_000 });

test("a reply that was a callback's answer is not given again on that callback once it is sent again", async () => {
  const { store } = opened;
  const { messageId: callback } = await inbound("hello", 60_000);
  const { messageId: reply } = await enqueueReply(store, "oA", "hi there");
  const { claim } = await look(callback);
  const [queued] = claim?.messages ?? [];
  if (claim === null || queued === undefined) throw new Error("nothing to claim");
  const answer = { messageIds: [reply], content: queued.message.content, createdAt: new Date() };
  expect(await store.queues.begin(claim, [queued], "passive", 30_000, { inboundId: callback, answer })).toBe(true);
  const outcome = { kind: "uncertain", code: "SENDER_LOST", detail: "…" } as const;
  const settlement = { outcome, next: { kind: "finished", state: "uncertain" }, way: "passive" } as const;
  await store.queues.settle(claim, [queued], { ...settlement, attempt: { startedAt: new Date(), durationMs: 1 } }, { keepForMs: null });
  expect((await look(callback)).answer).toMatchObject({ messageIds: [reply] });

  await store.replays.replay({ messageId: reply, limit: 1 }, ALL_ACCOUNTS, TESTER);
  const found = await look(callback);
  expect(found.answer).toBeNull();
  expect(found.claim?.messages.map(({ message }) => message.id)).toEqual([reply]);
});

test("a reply that is sent again waits for the callback that is open", async () => {
  const failed = await sayAndEnd("one", "failed");
  const { messageId: callback } = await inbound("hello", 60_000);
  await opened.store.replays.replay({ messageId: failed, limit: 1 }, ALL_ACCOUNTS, TESTER);
  expect(await waiting()).toEqual([]);
  expect((await look(callback)).claim?.messages.map(({ message }) => message.id)).toEqual([failed]);
});
