import pg from "pg";
import { expect, test } from "vitest";
import { retryUntil } from "../../../src/base/retry-until.ts";
import { newMessageId } from "../../../src/domain/ids.ts";
import type { Direction } from "../../../src/domain/message.ts";
import type { Claim, Settlement } from "../../../src/domain/queue.ts";
import type { RecordInbound, Store } from "../../../src/domain/store.ts";
import { createStore } from "../../../src/store/store.ts";
import { CONTACT, head, useFlowStage } from "../../flow/stage.ts";
import { eventually } from "../../support/gateway.ts";

const stage = useFlowStage();
const LEASE_MS = 30_000;
const DIRECTIONS = ["inbound", "outbound"] as const;

const settlement = (change: Partial<Settlement> = {}): Settlement => ({
  outcome: { kind: "done" },
  next: { kind: "finished", state: "sent" },
  way: null,
  attempt: { startedAt: new Date(), durationMs: 1 },
  ...change,
});

const busy = (afterMs: number) => settlement({ outcome: { kind: "retry", code: "-1", detail: "busy" }, next: { kind: "again", afterMs } });
const hold = () => settlement({ outcome: { kind: "hold", code: "45015", detail: "outside the window" }, next: { kind: "held" } });

const inbound = (text: string, holder: string | null): RecordInbound => ({
  ...CONTACT,
  messageId: newMessageId(new Date()),
  message: { openId: CONTACT.openId, dedupeKey: text, vendorMessageId: null, sentAt: new Date(), content: { type: "text", text } },
  forward: true,
  holder,
  openForMs: 0,
  openForQueryMs: 0,
  allowance: null,
});

/** Stores one message, for a worker that has a slot when a holder is given. */
async function put(direction: Direction, text: string, holder: string | null = null, store: Store = stage.opened.store) {
  if (direction === "inbound") return store.inbound.record(inbound(text, holder));
  const replies = [{ messageId: newMessageId(new Date()), content: { type: "text", text } as const, dedupeKey: `push ${text}` }];
  return store.outbound.enqueue({ ...CONTACT, origin: "agent", replies, holder });
}

const textsOf = (claim: Pick<Claim, "messages">) => claim.messages.map(({ message }) => message.text);

async function placesOf(direction: Direction): Promise<number[]> {
  const { prisma } = stage.opened.database;
  const rows = await prisma.message.findMany({ where: { direction }, select: { place: true }, orderBy: { place: "asc" } });
  return rows.map(({ place }) => Number(place));
}

/** A store whose statements run in one transaction of the test's own. */
async function openTransaction() {
  const { address, database, box } = stage.opened;
  if (address.kind !== "server") throw new Error("an embedded database has one session");
  const client = new pg.Client({ connectionString: address.url });
  await client.connect();
  await client.query("BEGIN");
  const query = async <Row>(text: string, values: readonly unknown[]) => (await client.query({ text, values: [...values] })).rows as Row[];
  return {
    store: createStore({ ...database, query }, box),
    commit: async () => {
      await client.query("COMMIT");
      await client.end();
    },
  };
}

const countLockWaits = async () => {
  const [row] = await stage.opened.database.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    [],
  );
  return row?.count ?? 0;
};

test.runIf(process.env.TEST_DATABASE_URL).each(DIRECTIONS.flatMap((direction) => [true, false].map((keeps) => ({ direction, keeps }))))(
  "a message that is stored while the settle of its predecessor waits for the row is not left behind: $direction, the claim kept: $keeps",
  async ({ direction, keeps }) => {
    const { queues } = stage.opened.store;
    await put(direction, "first");
    const claim = await stage.claim(direction);
    const { store, commit } = await openTransaction();
    await put(direction, "second", null, store);
    // Its snapshot is from before the commit. Where the wait for the lock takes too long, it is repeated, as by the worker.
    const done = settlement();
    const settling = retryUntil(() => queues.settle(claim, [head(claim)], done, { keepForMs: keeps ? LEASE_MS : null }), 60_000);
    await eventually("a wait for the lock", countLockWaits, (count) => count > 0);
    await commit();
    expect(await settling).toMatchObject({ hasMore: true, isDue: !keeps });
    const next = keeps ? { messages: await queues.next(claim, head(claim).place, 10) } : await stage.claim(direction);
    expect(textsOf(next)).toEqual(["second"]);
  },
);

test.each(DIRECTIONS)(
  "a new message does not overtake one that waits for its retry, a claimed one or what stands behind it: %s",
  async (direction) => {
    const { queues } = stage.opened.store;
    expect(await put(direction, "first")).toMatchObject({ claim: null });
    const claim = await stage.claim(direction);
    expect(await put(direction, "second", "worker-1")).toMatchObject({ claim: null });
    await queues.settle(claim, [head(claim)], busy(3_600_000), { keepForMs: null });
    expect(await put(direction, "third", "worker-1")).toMatchObject({ claim: null });
    await expect(stage.claim(direction)).rejects.toThrow("not due");
    await stage.opened.database.prisma.$executeRaw`UPDATE conversations SET inbound_due_at = now(), outbound_due_at = now()`;
    expect(textsOf(await stage.claim(direction))).toEqual(["first", "second", "third"]);
  },
);

test("a new reply does not overtake a held one", async () => {
  await put("outbound", "first");
  const claim = await stage.claim();
  await stage.opened.store.queues.settle(claim, [head(claim)], hold(), { keepForMs: null });
  expect(await put("outbound", "second", "worker-1")).toMatchObject({ claim: null });
  await stage.write("hello", 0);
  expect(textsOf(await stage.claim())).toEqual(["first", "second"]);
});

test("a reply for which a callback is open is not claimed for a worker", async () => {
  await stage.write("hello");
  expect(await put("outbound", "hi there", "worker-1")).toMatchObject({ claim: null });
  await expect(stage.claim()).rejects.toThrow("not due");
});

test.each(DIRECTIONS)("an empty queue is claimed with the message that is stored, which leaves as it was stored: %s", async (direction) => {
  const { queues, conversations } = stage.opened.store;
  const { claim } = await put(direction, "first", "worker-1");
  if (claim === null) throw new Error("the queue was not claimed");
  expect(claim).toMatchObject({
    ...{ conversationId: CONTACT.conversationId, direction, holder: "worker-1" },
    messages: [{ place: 1, begun: null }],
  });
  const page = await conversations.messages(CONTACT.conversationId, { limit: 1 }, null);
  expect(page).toMatchObject({ items: [{ ...head(claim).message, createdAt: expect.any(Date), sentAt: expect.any(Date) }] });
  expect(await queues.settle(claim, [head(claim)], settlement(), { keepForMs: LEASE_MS })).toMatchObject({ hasMore: false, isDue: false });
  expect(await put(direction, "second", "worker-1")).toMatchObject({ claim: { messages: [{ place: 2 }] } });
});

test("places have no holes after two processes have stored the same messages at once", async () => {
  const stores = [stage.opened.store, createStore(stage.opened.database, stage.opened.box)];
  const numbers = Array.from({ length: 20 }, (_, index) => index);
  for (const direction of DIRECTIONS) {
    await Promise.all(stores.flatMap((store) => numbers.map((number) => put(direction, `m${number}`, "worker-1", store))));
    expect(await placesOf(direction)).toEqual(numbers.map((number) => number + 1));
  }
  expect(await stage.opened.database.prisma.conversation.findFirst()).toMatchObject({ inboundLast: 20n, outboundLast: 20n });
});

test("a replayed message has the last place, and the cursor passes no hole on its way there", async () => {
  const { queues, replays } = stage.opened.store;
  for (const text of ["first", "second", "third"]) await put("outbound", text);
  const claim = await stage.claim();
  const { outcome, ...failed } = settlement({ next: { kind: "finished", state: "failed" } });
  const rejected = { ...failed, outcome: { ...outcome, kind: "rejected", code: "40003", detail: "unknown" } as const };
  await queues.settle(claim, [head(claim)], rejected, { keepForMs: null });
  await replays.replay({ messageId: head(claim).message.id, limit: 1 }, null, { id: "key_tester", name: "tester" });
  const sent: string[] = [];
  for (let count = 0; count < 3; count++) {
    const next = await stage.claim();
    sent.push(head(next).message.text);
    await queues.settle(next, [head(next)], settlement(), { keepForMs: null });
  }
  expect(sent).toEqual(["second", "third", "first"]);
  await expect(stage.claim()).rejects.toThrow("not due");
});
