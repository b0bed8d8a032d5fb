import { expect, test } from "vitest";
import { newMessageId, toConversationId } from "../../../src/domain/ids.ts";
import { useFlowStage } from "../../flow/stage.ts";
import { crowdOf, OPEN_IDS } from "../crowd.ts";

const stage = useFlowStage();
const { say, claimAll } = crowdOf(stage);

const open = async (openId: string, text: string) => {
  const { conversationId, openUntil } = await stage.opened.store.inbound.record({
    conversationId: toConversationId("shop", openId),
    accountId: "shop",
    messageId: newMessageId(new Date()),
    message: { openId, dedupeKey: `${openId} ${text}`, vendorMessageId: null, sentAt: new Date(), content: { type: "text", text } },
    forward: false,
    openForMs: 60_000,
    openForQueryMs: 0,
    allowance: null,
  });
  if (openUntil === null) throw new Error("the callback made no reservation");
  return { conversationId, openUntil };
};

const claimedOpenIds = async () => (await claimAll("outbound")).map(({ conversation }) => conversation.openId).sort();

test("of many callbacks that end at once, each frees the replies of its own contact and says whether there are some", async () => {
  const { closeCallback } = stage.opened.store.queues;
  const opened = await Promise.all(OPEN_IDS.map((openId) => open(openId, "?")));
  const spokenTo = OPEN_IDS.filter((_, index) => index % 2 === 0);
  await Promise.all(spokenTo.map((openId) => say(openId, "hi there")));
  // Two of one contact: what the second keeps open stays so.
  await open("o0", "and?");
  const closed = await Promise.all(opened.map(closeCallback));
  expect(closed).toEqual(OPEN_IDS.map((_, index) => ({ isWaiting: index % 2 === 0 })));
  expect(await claimedOpenIds()).toEqual(spokenTo.filter((openId) => openId !== "o0").sort());
});

test("of one contact's callbacks that end at once, the last frees the replies", async () => {
  const { closeCallback } = stage.opened.store.queues;
  const opened = [await open("o1", "one"), await open("o1", "two"), await open("o1", "three")];
  await say("o1", "hi there");
  await Promise.all(opened.map(closeCallback));
  expect(await claimedOpenIds()).toEqual(["o1"]);
});

test("an end that cannot be written fails alone", async () => {
  const { prisma } = stage.opened.database;
  const { closeCallback } = stage.opened.store.queues;
  const opened = await Promise.all(OPEN_IDS.map((openId) => open(openId, "?")));
  await Promise.all(OPEN_IDS.map((openId) => say(openId, "hi there")));
  await prisma.$executeRawUnsafe(
    `ALTER TABLE conversations ADD CONSTRAINT crash CHECK (id <> '${opened[7]?.conversationId}' OR cardinality(open_callbacks) > 0)`,
  );
  const closed = await Promise.allSettled(opened.map(closeCallback));
  expect(closed.flatMap(({ status }, index) => (status === "rejected" ? [index] : []))).toEqual([7]);
  expect(await claimedOpenIds()).toEqual(OPEN_IDS.filter((_, index) => index !== 7).sort());
});
