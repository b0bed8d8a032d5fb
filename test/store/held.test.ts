import { expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import type { Settlement } from "../../src/domain/queue.ts";
import { toNext } from "../../src/flow/to-next.ts";
import { Prisma } from "../../src/generated/prisma/client.ts";
import { CONTACT, head, useFlowStage } from "../flow/stage.ts";
import { TESTER } from "../support/store.ts";

const stage = useFlowStage();

const attempt = { startedAt: new Date(), durationMs: 1 };
const HELD: Settlement = {
  outcome: { kind: "hold", code: "45015", detail: "outside the window" },
  next: { kind: "held" },
  way: "async",
  attempt,
};

/** One try of the reply that stands first, which the platform refuses for now, or we do, knowing that it would. */
async function hold(meanwhile = async () => {}, isAsked = true): Promise<void> {
  const claim = await stage.claim();
  const { queues } = stage.opened.store;
  if (isAsked) await queues.begin(claim, [head(claim)], "async", 30_000);
  await meanwhile();
  await queues.settle(claim, [head(claim)], HELD, { keepForMs: null });
}

async function passDays(days: number): Promise<void> {
  const { prisma } = stage.opened.database;
  const past = Prisma.sql`${days}::int * interval '1 day'`;
  await prisma.$executeRaw`UPDATE messages SET created_at = created_at - ${past}, requeued_at = requeued_at - ${past}`;
  await prisma.$executeRaw`UPDATE conversations SET outbound_freed_at = outbound_freed_at - ${past}`;
}

/** What becomes of each reply of the queue, should its next try meet a busy platform. */
async function whenBusy() {
  const { messages } = await stage.claim();
  const outcome = { kind: "retry", code: "-1", detail: "busy", triesMax: 3 } as const;
  return messages.map((queued) => toNext(outcome, queued, { done: "sent", rejected: "failed" }, { now: () => new Date() }).kind);
}

test("held replies that the contact's message frees are tried for a whole day again, however long they were held", async () => {
  await stage.say("one");
  await stage.say("two");
  for (const text of ["hello", "anybody there?", "hello?"]) {
    await hold();
    await passDays(2);
    await stage.write(text, 0);
  }
  expect(await whenBusy()).toEqual(["again", "again"]);
});

test("held replies that a person sends again are tried for a whole day again, also those that stand before", async () => {
  await stage.say("one");
  const second = await stage.say("two");
  await hold();
  await passDays(2);
  await stage.opened.store.replays.replay({ messageId: second, limit: 1 }, ALL_ACCOUNTS, TESTER);
  expect(await whenBusy()).toEqual(["again", "again"]);
});

test("replies that a person sends again show no longer why they were held, also those that stand before", async () => {
  const ids = [await stage.say("one"), await stage.say("two")];
  await hold();
  await stage.opened.store.replays.replay({ messageId: ids[1] as string, limit: 1 }, ALL_ACCOUNTS, TESTER);
  const shown = await Promise.all(ids.map((id) => stage.opened.store.conversations.message(id, ALL_ACCOUNTS)));
  const message = { state: "queued", error: null, errorCode: null };
  expect(shown).toMatchObject([{ message }, { message }]);
});

test("a reply that is refused while the contact writes is tried for a whole day from then", async () => {
  await stage.say("one");
  await passDays(2);
  await hold(async () => {
    await stage.write("here I am", 0);
  });
  expect(await whenBusy()).toEqual(["again"]);
});

test("a reply that is held unasked while the contact writes has its chance at once: the reason is out of date", async () => {
  const messageId = await stage.say("one");
  await hold(async () => {
    await stage.write("here I am", 0);
  }, false);
  expect(head(await stage.claim()).message.id).toBe(messageId);
});

test("a reply that merely failed for a day is not given another by the contact's message", async () => {
  await stage.say("one");
  const claim = await stage.claim();
  const again: Settlement = { ...HELD, outcome: { kind: "retry", code: "-1", detail: "busy" }, next: { kind: "again", afterMs: 0 } };
  await stage.opened.store.queues.settle(claim, [head(claim)], again, { keepForMs: null });
  await passDays(1);
  await stage.write("hello", 0);
  expect(await whenBusy()).toEqual(["finished"]);
});

test("a notice that is enqueued behind held replies is held like them, with their reason", async () => {
  await stage.say("one");
  await stage.write("hello", 0);
  await hold();
  const { store } = stage.opened;
  const claim = await stage.claim("inbound");
  const messageId = "msg_notice";
  const forwarded: Settlement = {
    outcome: { kind: "done" },
    next: { kind: "finished", state: "forwarded" },
    way: null,
    attempt,
    report: { status: { status: "queueing", turn: 2 }, askedAtMs: performance.now() },
    notice: { messageId, when: "changes", content: { type: "text", text: "2 before you" } },
  };
  expect(await store.queues.settle(claim, [head(claim)], forwarded, { keepForMs: null })).toMatchObject({ noticeEnqueued: true });
  expect((await store.conversations.message(messageId, ALL_ACCOUNTS))?.message).toMatchObject({
    state: "held",
    errorCode: "45015",
    error: "outside the window",
  });
  expect(await store.conversations.get(CONTACT.conversationId, ALL_ACCOUNTS)).toMatchObject({ pending: { toCustomer: 2, held: 2 } });
});
