import { expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import type { Content } from "../../src/domain/content.ts";
import { newMessageId } from "../../src/domain/ids.ts";
import type { NewReply, StoredReply } from "../../src/domain/store.ts";
import { CONTACT, useFlowStage } from "../flow/stage.ts";

/* A push without ids: which later push is the same once more (docs/adr/0006). */

const stage = useFlowStage();

const push = async (...said: (string | { id: string; text: string })[]): Promise<StoredReply[]> => {
  const replies = said.map((each): NewReply => {
    const { id = null, text } = typeof each === "string" ? { text: each } : each;
    const content: Content = { type: "text", text };
    return { messageId: newMessageId(new Date()), content, dedupeKey: id };
  });
  return (await stage.opened.store.outbound.enqueue({ ...CONTACT, origin: "agent", replies })).replies;
};

const answer = (stored: readonly StoredReply[]) =>
  stage.opened.store.outbound.markAnswered({
    conversationId: CONTACT.conversationId,
    messageIds: stored.map(({ messageId }) => messageId),
  });

/** Moves the time of each recorded answer this far into the past. */
const letPass = (seconds: number) =>
  stage.opened.database.prisma.$executeRaw`
    UPDATE conversations SET push_answered_at = push_answered_at - ${seconds}::int * interval '1 second'`;

const isNew = (stored: readonly StoredReply[]) => stored.map((each) => each.isNew);
const ids = (stored: readonly StoredReply[]) => stored.map(({ messageId }) => messageId);

async function shown() {
  const page = await stage.opened.store.conversations.messages(CONTACT.conversationId, { limit: 50 }, ALL_ACCOUNTS);
  if (page === "bad-cursor") throw new Error("no cursor was given");
  return page.items.reverse().map(({ text, repetitions }) => [text, repetitions]);
}

test("an equal push is a repetition however late it comes, while the first has no answer", async () => {
  const first = await push("Yes");
  for (let count = 0; count < 3; count++) expect(await push("Yes")).toEqual([{ messageId: first[0]?.messageId, isNew: false }]);
  expect(await shown()).toEqual([["Yes", 3]]);
});

test("an equal push is a new one once the first is answered, but not in the second in which the answer may be under way", async () => {
  const first = await push("Yes");
  await answer(first);
  // However slow this machine is, the answer is of this moment.
  await letPass(-60);
  expect(isNew(await push("Yes"))).toEqual([false]);
  await letPass(62);
  const second = await push("Yes");
  expect(isNew(second)).toEqual([true]);
  // The second one has no answer yet.
  expect(ids(await push("Yes"))).toEqual(ids(second));
  expect(await shown()).toEqual([
    ["Yes", 1],
    ["Yes", 1],
  ]);
});

test("a push whose answer was never written down does not swallow an equal one for ever", async () => {
  await push("Yes");
  await stage.opened.database.prisma.$executeRaw`UPDATE conversations SET pushed_at = pushed_at - interval '61 minutes'`;
  expect(isNew(await push("Yes"))).toEqual([true]);
});

test("an event that no agent hears of is nothing that has happened", async () => {
  const first = await push("Yes");
  await stage.opened.store.inbound.record({
    ...CONTACT,
    messageId: newMessageId(new Date()),
    message: {
      openId: CONTACT.openId,
      dedupeKey: "location",
      vendorMessageId: null,
      sentAt: new Date(),
      content: { type: "event", event: "location", vendorEvent: "LOCATION", fields: {} },
    },
    forward: false,
    openForMs: 0,
    openForQueryMs: 0,
    allowance: null,
  });
  expect(ids(await push("Yes"))).toEqual(ids(first));
});

test("an answer that is written down twice counts from the first time", async () => {
  const first = await push("Yes");
  await answer(first);
  await letPass(2);
  await answer(first);
  expect(isNew(await push("Yes"))).toEqual([true]);
});

test("an equal push after the customer has written again is a new one, answered or not", async () => {
  await push("Yes");
  await stage.write("And on Sunday?");
  expect(isNew(await push("Yes"))).toEqual([true]);
  // WeChat repeats what it had no answer to: nothing has happened.
  await stage.write("And on Sunday?");
  expect(isNew(await push("Yes"))).toEqual([false]);
  expect(await shown()).toEqual([
    ["Yes", 0],
    ["And on Sunday?", 0],
    ["Yes", 1],
  ]);
});

test("an equal push after another reply is a new one, whether that one had an id or none", async () => {
  const said = [await push("Yes"), await push("One moment"), await push("Yes"), await push({ id: "m1", text: "So" }), await push("Yes")];
  expect(said.map(isNew)).toEqual([[true], [true], [true], [true], [true]]);
});

test("a repetition that is recognised by its id is nothing that has happened", async () => {
  await push({ id: "m1", text: "Hello" });
  const first = await push("Yes");
  expect(isNew(await push({ id: "m1", text: "Hello" }))).toEqual([false]);
  expect(ids(await push("Yes"))).toEqual(ids(first));
});

test("a push of several replies is recognised as a whole, with and without ids, and nothing else is taken for it", async () => {
  const first = await push("Yes", "One moment", { id: "m1", text: "So" }, "Yes");
  expect(isNew(first)).toEqual([true, true, true, true]);
  expect(new Set(ids(first)).size).toBe(4);
  expect(ids(await push("Yes", "One moment", { id: "m1", text: "So" }, "Yes"))).toEqual(ids(first));
  expect(isNew(await push("Yes", "One moment", { id: "m1", text: "So" }))).toEqual([true, true, false]);
});

test("of a push whose second reply cannot be stored nothing is stored, so that it can be sent again", async () => {
  const { prisma } = stage.opened.database;
  await prisma.$executeRawUnsafe("ALTER TABLE messages ADD CONSTRAINT crash CHECK (text <> 'spoilt')");
  await expect(push("one", "spoilt")).rejects.toThrow();
  await prisma.$executeRawUnsafe("ALTER TABLE messages DROP CONSTRAINT crash");
  expect(isNew(await push("one", "spoilt"))).toEqual([true, true]);
  expect(await shown()).toEqual([
    ["one", 0],
    ["spoilt", 0],
  ]);
});

test("an answer to an earlier push does not count for a later one", async () => {
  const first = await push("Yes");
  const second = await push("One moment");
  await answer(first);
  await letPass(2);
  expect(ids(await push("One moment"))).toEqual(ids(second));
});
