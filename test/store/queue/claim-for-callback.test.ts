import pg from "pg";
import { expect, test } from "vitest";
import { newHolder, newMessageId, toConversationId } from "../../../src/domain/ids.ts";
import { useFlowStage } from "../../flow/stage.ts";
import { eventually } from "../../support/gateway.ts";
import { crowdOf, OPEN_IDS } from "../crowd.ts";

const stage = useFlowStage();
const { say, pendingOf } = crowdOf(stage);

const LEASE_MS = 30_000;
const contact = (openId: string) => ({ conversationId: toConversationId("shop", openId), accountId: "shop", openId });

/** A message whose callback stays open. */
const write = (openId: string) =>
  stage.opened.store.inbound.record({
    ...contact(openId),
    messageId: newMessageId(new Date()),
    message: { openId, dedupeKey: openId, vendorMessageId: null, sentAt: new Date(), content: { type: "text", text: "?" } },
    forward: true,
    openForMs: 60_000,
    openForQueryMs: 0,
    allowance: null,
  });

const look = ({ conversationId, messageId }: { conversationId: string; messageId: string }) =>
  stage.opened.store.queues.claimForCallback({
    conversationId,
    messageId,
    holder: newHolder("callback"),
    messagesMax: 2,
    leaseMs: LEASE_MS,
  });

test("of many callbacks that look at once, each finds the replies of its own contact, in their order, or none", async () => {
  const received = await Promise.all(OPEN_IDS.map(write));
  const spokenTo = OPEN_IDS.filter((_, index) => index % 2 === 0);
  await Promise.all(spokenTo.flatMap((openId) => [`${openId} one`, `${openId} two`, `${openId} three`].map((text) => say(openId, text))));
  const found = await Promise.all(received.map(look));
  expect(found.map(({ claim }) => claim?.messages.map(({ message }) => message.text) ?? null)).toEqual(
    OPEN_IDS.map((openId) => (spokenTo.includes(openId) ? [`${openId} one`, `${openId} two`] : null)),
  );
  expect(found.map(({ messageState, isDeskAway }) => ({ messageState, isDeskAway }))).toEqual(
    OPEN_IDS.map(() => ({ messageState: "received", isDeskAway: false })),
  );
});

test("of two callbacks of a contact that look at once, one has the replies", async () => {
  const [first, second] = [await write("o1"), await write("o1")];
  await say("o1", "hi there");
  const found = await Promise.all([look(first), look(second)]);
  expect(found.map(({ claim }) => claim?.messages.length)).toEqual([1, undefined]);
});

test("many that look again at once are each given the answer that their callback had, and a queue without one is left alone", async () => {
  const { queues } = stage.opened.store;
  const received = await Promise.all(OPEN_IDS.map(write));
  await Promise.all(OPEN_IDS.map((openId) => say(openId, `to ${openId}`)));
  const answered = received.filter((_, index) => index % 2 === 0);
  for (const each of answered) {
    const { claim } = await look(each);
    const [queued] = claim?.messages ?? [];
    if (!claim || !queued) throw new Error("nothing to take");
    const answer = { messageIds: [queued.message.id], content: queued.message.content, createdAt: new Date() };
    expect(await queues.begin(claim, [queued], "passive", LEASE_MS, { inboundId: each.messageId, answer })).toBe(true);
  }
  const found = await Promise.all(received.map(look));
  expect(found.map(({ answer }) => answer?.content)).toEqual(
    OPEN_IDS.map((openId, index) => (index % 2 === 0 ? { type: "text", text: `to ${openId}` } : undefined)),
  );
  expect(found.map(({ claim }) => claim?.messages.length)).toEqual(OPEN_IDS.map((_, index) => (index % 2 === 0 ? undefined : 1)));
  expect((await Promise.all(OPEN_IDS.map(pendingOf))).map((pending) => pending?.toCustomer)).toEqual(OPEN_IDS.map(() => 1));
});

test.runIf(process.env.TEST_DATABASE_URL)(
  "a callback that looks while another statement holds its conversation waits for it, and finds the reply",
  async () => {
    const received = await write("o1");
    await say("o1", "hi there");
    const { address } = stage.opened;
    if (address.kind !== "server") throw new Error("TEST_DATABASE_URL gives a server");
    const other = new pg.Client({ connectionString: address.url });
    await other.connect();
    await other.query("BEGIN");
    await other.query("SELECT id FROM conversations FOR NO KEY UPDATE");
    const looking = look(received);
    await eventually(
      "the look to wait",
      async () => (await other.query("SELECT FROM pg_locks WHERE NOT granted")).rowCount,
      (count) => count !== 0,
    );
    await other.query("COMMIT");
    await other.end();
    expect((await looking).claim?.messages.map(({ message }) => message.text)).toEqual(["hi there"]);
  },
);
