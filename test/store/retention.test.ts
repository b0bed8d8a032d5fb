import { afterEach, beforeEach, expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { newMessageId, toConversationId } from "../../src/domain/ids.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../support/store.ts";

let opened: TestStore;

beforeEach(async () => {
  opened = await openTestStore();
  await opened.store.accounts.create(newAccount("shop"), TESTER);
});

afterEach(() => opened.close());

const conversationId = toConversationId("shop", "oA");
let counter = 0;

async function record(forward: boolean): Promise<string> {
  const messageId = newMessageId(new Date());
  const message = {
    openId: "oA",
    dedupeKey: `key-${++counter}`,
    vendorMessageId: null,
    sentAt: new Date(),
    content: { type: "text" as const, text: "hi" },
  };
  await opened.store.inbound.record({
    messageId,
    conversationId,
    accountId: "shop",
    message,
    forward,
    openForMs: 0,
    openForQueryMs: 0,
    allowance: null,
  });
  return messageId;
}

async function left(): Promise<number> {
  const page = await opened.store.conversations.messages(conversationId, { limit: 100 }, ALL_ACCOUNTS);
  return page === "bad-cursor" ? -1 : page.items.length;
}

/** A message stored just now is older than this. */
const ANY_AGE_MS = -60_000;

test("old messages go in batches; what still waits to leave stays, and so does what is new", async () => {
  for (let index = 0; index < 5; index++) await record(false);
  const waiting = await record(true);
  expect(await opened.store.retention.removeOld(60_000, 100)).toBe(0);
  expect(await left()).toBe(6);
  expect(await opened.store.retention.removeOld(ANY_AGE_MS, 3)).toBe(3);
  expect(await opened.store.retention.removeOld(ANY_AGE_MS, 3)).toBe(2);
  expect(await opened.store.retention.removeOld(ANY_AGE_MS, 3)).toBe(0);
  expect((await opened.store.conversations.message(waiting, ALL_ACCOUNTS))?.message.id).toBe(waiting);
  expect(await opened.store.conversations.get(conversationId, ALL_ACCOUNTS)).toMatchObject({ pending: { toDesk: 1 } });
});

test("processes that remove at the same moment remove each message once, and lose none that is new", async () => {
  for (let index = 0; index < 20; index++) await record(false);
  const removed = await Promise.all(Array.from({ length: 6 }, () => opened.store.retention.removeOld(ANY_AGE_MS, 100)));
  expect(removed.reduce((sum, count) => sum + count, 0)).toBe(20);
  expect(await left()).toBe(0);
});
