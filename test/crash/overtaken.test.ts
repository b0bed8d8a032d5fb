import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { newHolder, newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { ClaimedEntry, Settlement } from "../../src/domain/outbox.ts";
import { createStore } from "../../src/store/store.ts";
import { eventually } from "../support/gateway.ts";
import { enqueueReply } from "../support/reply.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../support/store.ts";

/* Moments between two statements that chance rarely meets, brought about with a session that holds a row. Only a server has two. */

const LEASE_MS = 30_000;
const CONVERSATION = toConversationId("shop", "oA");
const LANE = { conversationId: CONVERSATION, direction: "outbound" } as const;

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
      lookForMs: 0,
      allowance: null,
    });

  const claim = (leaseMs: number) => opened.store.outbox.claimLane(LANE, { holder: newHolder("worker"), entriesMax: 10, leaseMs });

  const head = (entries: ClaimedEntry[] | undefined): ClaimedEntry => {
    const [entry] = entries ?? [];
    if (entry === undefined) throw new Error("nothing was claimed");
    return entry;
  };

  /** Asked outside the other session's transaction, in which these figures stand still. */
  const untilWaiting = (sessions: number) =>
    eventually(
      `${sessions} sessions to wait for a lock`,
      () => opened.database.prisma.$queryRaw<unknown[]>`
        SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      ({ length }) => length >= sessions,
    );

  /** Starts all of them while the other session holds the lane of replies, and lets them go at once. */
  const atOnce = async <T>(works: readonly (() => Promise<T>)[]): Promise<T[]> => {
    await other.query("BEGIN");
    await other.query("SELECT FROM outbox_lanes WHERE direction = 'outbound' FOR UPDATE");
    const results = works.map((work) => work());
    await untilWaiting(works.length);
    await other.query("COMMIT");
    return Promise.all(results);
  };

  test("a claim that meets a late holder's settle neither waits for it nor brings the entry that was settled", async () => {
    await say("one");
    await say("two");
    const late = await claim(0);
    if (late === null) throw new Error("the first claim failed");
    await other.query("BEGIN");
    // What the settle of the late holder does, held open.
    await other.query("UPDATE outbox_lanes SET pending = pending - 1, holder = NULL, due_at = now() WHERE direction = 'outbound'");
    await other.query("DELETE FROM outbox_entries WHERE id = $1", [head(late.entries).id]);
    expect(await claim(LEASE_MS)).toBeNull();
    await other.query("COMMIT");
    const next = await claim(LEASE_MS);
    expect(next?.entries.map(({ message }) => message.text)).toEqual(["two"]);
    if (next == null) throw new Error("nothing was claimed");
    expect(await opened.store.outbox.settle(next, head(next.entries), SENT, { keepForMs: null })).not.toBeNull();
    expect((await opened.store.conversations.get(CONVERSATION, ALL_ACCOUNTS))?.pending.toCustomer).toBe(0);
  });

  test("a callback that begins an entry which is gone keeps no answer of it", async () => {
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
      lookForMs: 0,
      allowance: null,
    });
    const inboundId = received?.messageId ?? "";
    const messageId = await say("one");
    const callback = {
      conversationId: CONVERSATION,
      messageId: inboundId,
      holder: newHolder("callback"),
      entriesMax: 1,
      leaseMs: LEASE_MS,
    };
    const { claim: taken } = await opened.store.outbox.claimForCallback(callback);
    if (taken === null) throw new Error("nothing to take");
    await other.query("DELETE FROM outbox_entries");
    const answers = {
      inboundId,
      answer: { messageIds: [messageId], content: { type: "text", text: "one" } as const, createdAt: new Date() },
    };
    expect(await opened.store.outbox.begin(taken, [head(taken.entries)], "passive", LEASE_MS, answers)).toBe(false);
    expect((await opened.store.outbox.claimForCallback(callback)).answer).toBeNull();
    expect(await opened.store.outbox.settle(taken, head(taken.entries), SENT, { keepForMs: null })).toBeNull();
  });

  test("a settle that is repeated while the first is still on its way counts once, and both answer the same", async () => {
    await say("one");
    await say("two");
    const taken = await claim(LEASE_MS);
    if (taken === null) throw new Error("nothing was claimed");
    const { outbox } = opened.store;
    // A process settles for a conversation once at a time, so the repetition comes from another.
    const another = createStore(opened.database, opened.box).outbox;
    const settle = (by: typeof outbox) => by.settle(taken, head(taken.entries), SENT, { keepForMs: LEASE_MS });
    const [first, second] = await atOnce([() => settle(outbox), () => settle(another)]);
    expect(first).not.toBeNull();
    expect(second).toEqual(first);
    const held = { ...taken, claimNumber: first?.claimNumber ?? "" };
    expect(await outbox.settle(held, head(taken.entries.slice(1)), SENT, { keepForMs: null })).toMatchObject({ moreDue: false });
    await say("three");
    expect((await claim(LEASE_MS))?.entries.map(({ message }) => message.text)).toEqual(["three"]);
  });

  test.each(["settled", "begun"] as const)(
    "lanes that are %s together wait for the conversations before they hold any lane: nobody waits in a circle",
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
          lookForMs: 0,
          allowance: null,
        });
      await write(first, "hello");
      for (const openId of [first, second]) {
        await enqueueReply(opened.store, openId, "hi", { dedupeKey: openId });
      }
      await opened.database.prisma.$executeRaw`UPDATE outbox_lanes SET due_at = now(), callbacks_open_until = '{}'`;
      const { outbox } = opened.store;
      const claims = await outbox.claimDue({
        holder: newHolder("worker"),
        lanesMax: 10,
        entriesMax: 10,
        leaseMs: LEASE_MS,
        roomOfEach: 64,
        rooms: [],
      });
      expect(claims).toHaveLength(2);

      await other.query("BEGIN");
      await other.query("SELECT FROM outbox_lanes WHERE conversation_id = $1 AND direction = 'outbound' FOR UPDATE", [
        toConversationId("shop", first),
      ]);
      const ended = claims.map((each) =>
        what === "settled"
          ? outbox.settle(each, head(each.entries), SENT, { keepForMs: null })
          : outbox.begin(each, each.entries, "async", LEASE_MS),
      );
      await untilWaiting(1);
      // A repetition, which needs no conversation, in one statement with what is new.
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

  test("an entry that is added while its lane is settled, given back or closed is due", async () => {
    const received = await opened.store.inbound.record({
      messageId: newMessageId(new Date()),
      conversationId: CONVERSATION,
      accountId: "shop",
      message: { openId: "oA", dedupeKey: "key-1", vendorMessageId: null, sentAt: new Date(), content: { type: "text", text: "?" } },
      forward: false,
      openForMs: 60_000,
      lookForMs: 0,
      allowance: null,
    });
    if (!received?.openUntil) throw new Error("the callback made no reservation");
    const { openUntil } = received;
    const { outbox } = opened.store;
    await atOnce<unknown>([() => say("one"), () => outbox.closeCallback({ conversationId: CONVERSATION, openUntil })]);
    const first = await claim(LEASE_MS);
    if (first === null) throw new Error("the lane is not due after closing");
    await atOnce<unknown>([() => outbox.settle(first, head(first.entries), SENT, { keepForMs: null }), () => say("two")]);
    const second = await claim(LEASE_MS);
    if (second === null) throw new Error("the lane is not due after settling");
    await atOnce<unknown>([() => say("three"), () => outbox.release(second)]);
    expect((await claim(LEASE_MS))?.entries.map(({ message }) => message.text)).toEqual(["two", "three"]);
  });

  test("a reply that is added while the one before it is held, is held with the same reason", async () => {
    await say("one");
    const first = await claim(LEASE_MS);
    if (first === null) throw new Error("nothing was claimed");
    const held: Settlement = {
      ...SENT,
      outcome: { kind: "hold", code: "45015", detail: "outside the window" },
      next: { kind: "held" },
    };
    await other.query("BEGIN");
    await other.query("SELECT FROM conversations FOR UPDATE");
    // The agent's reply stands first in line for the conversation, and the settle began before it was stored.
    const added = say("two");
    await untilWaiting(1);
    const settled = opened.store.outbox.settle(first, head(first.entries), held, { keepForMs: null });
    await untilWaiting(2);
    await other.query("COMMIT");
    await settled;
    expect((await opened.store.conversations.message(await added, ALL_ACCOUNTS))?.message).toMatchObject({
      state: "held",
      errorCode: "45015",
    });
    expect(await claim(LEASE_MS)).toBeNull();
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
          lookForMs: 0,
          allowance: null,
        }),
      ]);
      expect(await opened.store.conversations.get(conversationId, ALL_ACCOUNTS)).toMatchObject({
        status: "chatting",
        pending: { toDesk: 1, toCustomer: 3 },
      });
    }
  });

  test("a conversation that somebody keeps locked holds up only its own messages, and these keep their order", async () => {
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
