import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { newHolder, newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { QueuedMessage, Settlement } from "../../src/domain/queue.ts";
import type { Store } from "../../src/domain/store.ts";
import { createStore } from "../../src/store/store.ts";
import { eventually } from "../support/gateway.ts";
import { enqueueReply } from "../support/reply.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../support/store.ts";

/* Moments between two statements that chance rarely meets, brought about with a session that holds a row. Only a server has two. */

const LEASE_MS = 30_000;
const CONVERSATION = toConversationId("shop", "oA");
const QUEUE = { conversationId: CONVERSATION, direction: "outbound" } as const;

const SENT: Settlement = {
  outcome: { kind: "done" },
  next: { kind: "finished", state: "sent" },
  way: "async",
  attempt: { startedAt: new Date(), durationMs: 1 },
};

describe.runIf(process.env.TEST_DATABASE_URL)("two sessions", () => {
  let opened: TestStore;
  let other: pg.Client;

  beforeEach(async () => {
    opened = await openTestStore();
    await opened.store.accounts.create(newAccount("shop"), TESTER);
    const [row] = await opened.database.prisma.$queryRaw<{ name: string }[]>`SELECT current_database() AS name`;
    const url = new URL(process.env.TEST_DATABASE_URL ?? "");
    url.pathname = `/${row?.name}`;
    other = new pg.Client({ connectionString: url.href });
    await other.connect();
  });

  afterEach(async () => {
    await other.end();
    await opened.close();
  });

  const say = async (text: string) => (await enqueueReply(opened.store, "oA", text, { dedupeKey: text })).messageId;

  const write = (openId: string, text: string) =>
    opened.store.inbound.record({
      messageId: newMessageId(new Date()),
      conversationId: toConversationId("shop", openId),
      accountId: "shop",
      message: { openId, dedupeKey: `${openId} ${text}`, vendorMessageId: null, sentAt: new Date(), content: { type: "text", text } },
      forward: true,
      openForMs: 0,
      openForQueryMs: 0,
      allowance: null,
    });

  const claim = (leaseMs: number) => opened.store.queues.claimQueue(QUEUE, { holder: newHolder("worker"), messagesMax: 10, leaseMs });

  const head = (messages: QueuedMessage[] | undefined): QueuedMessage => {
    const [queued] = messages ?? [];
    if (queued === undefined) throw new Error("nothing was claimed");
    return queued;
  };

  /** Asked outside the other session's transaction, in which these figures stand still. */
  const untilWaiting = (sessions: number) =>
    eventually(
      `${sessions} sessions to wait for a lock`,
      () => opened.database.prisma.$queryRaw<unknown[]>`
        SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      ({ length }) => length >= sessions,
    );

  /** Starts all of them one after the other while the other session holds the conversation, and lets them go: they get it in this order. */
  const inTurn = async <T>(works: readonly (() => Promise<T>)[]): Promise<T[]> => {
    await other.query("BEGIN");
    await other.query("SELECT FROM conversations FOR UPDATE");
    const results: Promise<T>[] = [];
    for (const work of works) {
      results.push(work());
      await untilWaiting(results.length);
    }
    await other.query("COMMIT");
    return Promise.all(results);
  };

  test("a claim that meets a late holder's settle neither waits for it nor brings the message that was settled", async () => {
    await say("one");
    await say("two");
    const late = await claim(0);
    if (late === null) throw new Error("the first claim failed");
    await other.query("BEGIN");
    // What the settle of the late holder does, held open.
    await other.query("UPDATE conversations SET outbound_done = outbound_done + 1, outbound_holder = NULL, outbound_due_at = now()");
    await other.query("UPDATE messages SET state = 'sent' WHERE id = $1", [head(late.messages).message.id]);
    expect(await claim(LEASE_MS)).toBeNull();
    await other.query("COMMIT");
    const next = await claim(LEASE_MS);
    expect(next?.messages.map(({ message }) => message.text)).toEqual(["two"]);
    if (next == null) throw new Error("nothing was claimed");
    expect(await opened.store.queues.settle(next, [head(next.messages)], SENT, { keepForMs: null })).not.toBeNull();
    expect((await opened.store.conversations.get(CONVERSATION, ALL_ACCOUNTS))?.pending.toCustomer).toBe(0);
  });

  test("a callback that begins a message which has left keeps no answer of it", async () => {
    const input = {
      openId: "oA",
      dedupeKey: "key-1",
      vendorMessageId: null,
      sentAt: new Date(),
      content: { type: "text", text: "?" } as const,
    };
    const received = await opened.store.inbound.record({
      messageId: newMessageId(new Date()),
      conversationId: CONVERSATION,
      accountId: "shop",
      message: input,
      forward: true,
      openForMs: 60_000,
      openForQueryMs: 0,
      allowance: null,
    });
    const inboundId = received?.messageId ?? "";
    const messageId = await say("one");
    const callback = {
      conversationId: CONVERSATION,
      messageId: inboundId,
      holder: newHolder("callback"),
      messagesMax: 1,
      leaseMs: LEASE_MS,
    };
    const { claim: taken } = await opened.store.queues.claimForCallback(callback);
    if (taken === null) throw new Error("nothing to take");
    await other.query("UPDATE conversations SET outbound_done = outbound_last");
    const answers = {
      inboundId,
      answer: { messageIds: [messageId], content: { type: "text", text: "one" } as const, createdAt: new Date() },
    };
    expect(await opened.store.queues.begin(taken, [head(taken.messages)], "passive", LEASE_MS, answers)).toBe(false);
    expect((await opened.store.queues.claimForCallback(callback)).answer).toBeNull();
    expect(await opened.store.queues.settle(taken, [head(taken.messages)], SENT, { keepForMs: null })).toBeNull();
  });

  test("a settle that is repeated while the first is still on its way counts once, and both answer the same", async () => {
    await say("one");
    await say("two");
    const taken = await claim(LEASE_MS);
    if (taken === null) throw new Error("nothing was claimed");
    const { queues } = opened.store;
    // A process settles for a conversation once at a time, so the repetition comes from another.
    const another = createStore(opened.database, opened.box).queues;
    const settle = (by: typeof queues) => by.settle(taken, [head(taken.messages)], SENT, { keepForMs: LEASE_MS });
    const [first, second] = await inTurn([() => settle(queues), () => settle(another)]);
    expect(first).toMatchObject({ hasMore: true });
    expect(second).toEqual(first);
    const last = [head(taken.messages.slice(1))];
    expect(await queues.settle(taken, last, SENT, { keepForMs: null })).toMatchObject({ hasMore: false, isDue: false });
    await say("three");
    expect((await claim(LEASE_MS))?.messages.map(({ message }) => message.text)).toEqual(["three"]);
  });

  test.each(["settled", "begun"] as const)(
    "queues that are %s together are locked in the order that storing has: no two statements wait for each other",
    async (what) => {
      const [first = "", second = ""] = ["oA", "oB"].sort((a, b) => (toConversationId("shop", a) < toConversationId("shop", b) ? -1 : 1));
      const contact = (openId: string) => ({
        messageId: newMessageId(new Date()),
        conversationId: toConversationId("shop", openId),
        accountId: "shop",
        openId,
      });
      const write = (openId: string, text: string) =>
        opened.store.inbound.record({
          ...contact(openId),
          message: { openId, dedupeKey: `${openId} ${text}`, vendorMessageId: null, sentAt: new Date(), content: { type: "text", text } },
          forward: false,
          openForMs: 60_000,
          openForQueryMs: 0,
          allowance: null,
        });
      await write(first, "hello");
      for (const openId of [first, second]) {
        await enqueueReply(opened.store, openId, "hi", { dedupeKey: openId });
      }
      await opened.database.prisma.$executeRaw`UPDATE conversations SET outbound_due_at = now(), open_callbacks = '{}'`;
      const { queues } = opened.store;
      const claims = await queues.claimDue({
        direction: "outbound",
        holder: newHolder("worker"),
        queuesMax: 10,
        messagesMax: 10,
        leaseMs: LEASE_MS,
        roomOfEach: 64,
        rooms: [],
      });
      expect(claims).toHaveLength(2);

      await other.query("BEGIN");
      await other.query("SELECT FROM conversations WHERE id = $1 FOR UPDATE", [toConversationId("shop", first)]);
      const ended = claims.map((each) =>
        what === "settled"
          ? queues.settle(each, [head(each.messages)], SENT, { keepForMs: null })
          : queues.begin(each, each.messages, "async", LEASE_MS),
      );
      await untilWaiting(1);
      // A repetition, in one statement with a message that is new.
      const written = [write(first, "hello"), write(second, "more")];
      await untilWaiting(2);
      await other.query("COMMIT");
      const results: unknown[] = await Promise.all(ended);
      expect(results).not.toContain(null);
      expect(results).not.toContain(false);
      expect((await Promise.all(written)).map(({ isNew }) => isNew)).toEqual([false, true]);
      const { rows } = await other.query("SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()");
      expect(rows).toEqual([{ deadlocks: 0 }]);
    },
  );

  test("a message that is stored while its queue is settled, given back or closed is due", async () => {
    const received = await opened.store.inbound.record({
      messageId: newMessageId(new Date()),
      conversationId: CONVERSATION,
      accountId: "shop",
      message: { openId: "oA", dedupeKey: "key-1", vendorMessageId: null, sentAt: new Date(), content: { type: "text", text: "?" } },
      forward: false,
      openForMs: 60_000,
      openForQueryMs: 0,
      allowance: null,
    });
    if (!received?.openUntil) throw new Error("the callback made no reservation");
    const { openUntil } = received;
    const { queues } = opened.store;
    await inTurn<unknown>([() => say("one"), () => queues.closeCallback({ conversationId: CONVERSATION, openUntil })]);
    const first = await claim(LEASE_MS);
    if (first === null) throw new Error("the queue is not due after closing");
    await inTurn<unknown>([() => queues.settle(first, [head(first.messages)], SENT, { keepForMs: null }), () => say("two")]);
    const second = await claim(LEASE_MS);
    if (second === null) throw new Error("the queue is not due after settling");
    await inTurn<unknown>([() => say("three"), () => queues.release(second)]);
    expect((await claim(LEASE_MS))?.messages.map(({ message }) => message.text)).toEqual(["two", "three"]);
  });

  test.each([
    ["outbound", "from the lease", LEASE_MS],
    ["outbound", "to no claim", null],
    ["inbound", "from the lease", LEASE_MS],
    ["inbound", "to no claim", null],
  ] as const)(
    "a message that is stored while the %s settle before it waits for the row is not left behind (%s)",
    async (direction, _, keepForMs) => {
      const { queues } = opened.store;
      const queue = { conversationId: CONVERSATION, direction };
      const store = (text: string): Promise<unknown> => (direction === "outbound" ? say(text) : write("oA", text));
      const claimIt = () => queues.claimQueue(queue, { holder: newHolder("worker"), messagesMax: 10, leaseMs: LEASE_MS });
      await store("0");
      for (const isStoredFirst of [true, false]) {
        const taken = await claimIt();
        if (taken === null) throw new Error("nothing was claimed");
        const last = head(taken.messages);
        const settle = () => queues.settle(taken, [last], SENT, { keepForMs });
        const next = `${last.place}`;
        const add = () => store(next);
        const [first, second] = await inTurn<unknown>(isStoredFirst ? [add, settle] : [settle, add]);
        // Settled first, the queue was empty; stored first, the settle sees the message although its snapshot does not.
        const settled = isStoredFirst ? second : first;
        expect(settled).toMatchObject({ hasMore: isStoredFirst, isDue: isStoredFirst && keepForMs === null });
        const isKept = isStoredFirst && keepForMs !== null;
        const found = isKept ? await queues.next(taken, last.place, 10) : (await claimIt())?.messages;
        expect(found?.map(({ message }) => message.text)).toEqual([next]);
        await queues.retire(taken.holder, 0);
        await opened.database.prisma.$executeRaw`
        UPDATE conversations SET inbound_holder = NULL, outbound_holder = NULL,
          inbound_due_at = CASE WHEN inbound_last > inbound_done THEN now() END,
          outbound_due_at = CASE WHEN outbound_last > outbound_done THEN now() END`;
      }
    },
  );

  test.each([
    ["before", true],
    ["after", false],
  ])("a reply that is stored just %s the one before it is held, is held with the same reason", async (_when, isStoredFirst) => {
    await say("one");
    const first = await claim(LEASE_MS);
    if (first === null) throw new Error("nothing was claimed");
    const held: Settlement = {
      ...SENT,
      outcome: { kind: "hold", code: "45015", detail: "outside the window" },
      next: { kind: "held" },
    };
    let added = Promise.resolve("");
    const add = () => {
      added = say("two");
      return added;
    };
    const hold = () => opened.store.queues.settle(first, [head(first.messages)], held, { keepForMs: null });
    await inTurn<unknown>(isStoredFirst ? [add, hold] : [hold, add]);
    expect((await opened.store.conversations.message(await added, ALL_ACCOUNTS))?.message).toMatchObject({
      state: "held",
      errorCode: "45015",
    });
    expect(await claim(LEASE_MS)).toBeNull();
  });

  test("the same message or reply, stored by two processes in the same moment, has one place: the queue has no hole", async () => {
    const another = createStore(opened.database, opened.box);
    await write("oA", "first");
    await say("first");
    const times = { forward: true, openForMs: 0, openForQueryMs: 0, allowance: null };
    const record = ({ inbound }: Pick<Store, "inbound">) => {
      const content = { type: "text", text: "same" } as const;
      const message = { openId: "oA", dedupeKey: "same", vendorMessageId: null, sentAt: new Date(), content };
      const ids = { messageId: newMessageId(new Date()), conversationId: CONVERSATION, accountId: "shop" };
      return inbound.record({ ...ids, ...times, message, holder: newHolder("worker") });
    };
    const recorded = await inTurn([() => record(opened.store), () => record(another)]);
    expect(recorded.map(({ isNew }) => isNew)).toEqual([true, false]);
    const push = (store: Pick<Store, "outbound">) => enqueueReply(store, "oA", "same", { dedupeKey: "push", holder: newHolder("worker") });
    const pushed = await inTurn([() => push(opened.store), () => push(another)]);
    expect(pushed.map(({ isNew }) => isNew)).toEqual([true, false]);
    await write("oA", "last");
    await say("last");
    const [row] = await opened.database.prisma.conversation.findMany();
    expect([row?.inboundLast, row?.outboundLast]).toEqual([3n, 3n]);
    const stored = await opened.database.prisma.message.findMany({ orderBy: [{ direction: "asc" }, { place: "asc" }] });
    const places = ["first", "same", "last"].map((text, index) => ({ text, place: BigInt(index + 1) }));
    expect(stored.map(({ text, place }) => ({ text, place }))).toEqual([...places, ...places]);
  });

  test("two processes that meet a contact in the same moment both succeed", async () => {
    for (let round = 0; round < 40; round++) {
      const openId = `oNew${round}`;
      const conversationId = toConversationId("shop", openId);
      const conversation = { conversationId, accountId: "shop", openId };
      const content = { type: "text", text: "hi" } as const;
      const message = { openId, dedupeKey: `met-${round}`, vendorMessageId: null, sentAt: new Date(), content };
      await Promise.all([
        ...[1, 2, 3].map((copy) => enqueueReply(opened.store, openId, content, { dedupeKey: `${round}-${copy}` })),
        opened.store.outbound.report(conversation, { status: "chatting" }),
        opened.store.inbound.record({
          ...conversation,
          messageId: newMessageId(new Date()),
          message,
          forward: true,
          openForMs: 0,
          openForQueryMs: 0,
          allowance: null,
        }),
      ]);
      expect(await opened.store.conversations.get(conversationId, ALL_ACCOUNTS)).toMatchObject({
        status: "chatting",
        pending: { toDesk: 1, toCustomer: 3 },
      });
    }
  });

  test("a conversation that another session keeps locked holds up only its own messages, and these keep their order", async () => {
    await write("oA", "first");
    await other.query("BEGIN");
    await other.query("SELECT FROM conversations FOR UPDATE");
    const locked = write("oA", "second");
    const together = ["oB", "oC"].map((openId) => write(openId, "hello"));
    await expect(locked).rejects.toThrow(/lock timeout/);
    for (const { isNew } of await Promise.all(together)) expect(isNew).toBe(true);
    await other.query("COMMIT");
    expect(await write("oA", "second")).toMatchObject({ isNew: true });
  });
});
