import { expect, test } from "vitest";
import { newMessageId } from "../../../src/domain/ids.ts";
import type { Claim, Settlement } from "../../../src/domain/queue.ts";
import { CONTACT, head, useFlowStage } from "../../flow/stage.ts";

/* Claims that live in the memory of their process, as long as its heartbeat goes on. */

const stage = useFlowStage();
const LEASE_MS = 30_000;
const DEAD_AFTER_MS = 1_500;
const HOLDER = "worker-1";

const sent = (): Settlement => ({
  outcome: { kind: "done" },
  next: { kind: "finished", state: "sent" },
  way: "async",
  attempt: { startedAt: new Date(), durationMs: 1 },
});

/** A contact's message, stored by a worker that has a slot for it. */
async function write(text: string, holder: string | null = HOLDER): Promise<Claim | null> {
  const { claim } = await stage.opened.store.inbound.record({
    ...CONTACT,
    messageId: newMessageId(new Date()),
    message: { openId: CONTACT.openId, dedupeKey: text, vendorMessageId: null, sentAt: new Date(), content: { type: "text", text } },
    forward: true,
    holder,
    openForMs: 0,
    openForQueryMs: 0,
    allowance: null,
  });
  return claim;
}

async function say(text: string, holder = HOLDER): Promise<Claim | null> {
  const replies = [{ messageId: newMessageId(new Date()), content: { type: "text", text } as const, dedupeKey: text }];
  return (await stage.opened.store.outbound.enqueue({ ...CONTACT, origin: "agent", replies, holder })).claim;
}

function claimed(claim: Claim | null): Claim {
  if (claim === null) throw new Error("the queue was not claimed");
  return claim;
}

const conversation = () => stage.opened.database.prisma.conversation.findFirstOrThrow();

test("a claim in memory has no lease: no poll takes it, and it keeps none while it goes on", async () => {
  const { queues } = stage.opened.store;
  const claim = claimed(await write("first"));
  expect(await write("second")).toBeNull();
  expect(await conversation()).toMatchObject({ inboundHolder: HOLDER, inboundDueAt: null });
  await expect(stage.claim("inbound")).rejects.toThrow("not due");
  const options = { direction: "inbound", queuesMax: 10, messagesMax: 10, leaseMs: LEASE_MS, roomOfEach: 10, rooms: [] } as const;
  expect(await queues.claimDue({ ...options, holder: "worker-2" })).toEqual([]);
  expect(await queues.settle(claim, [head(claim)], sent(), { keepForMs: LEASE_MS })).toMatchObject({ hasMore: true });
  expect(await conversation()).toMatchObject({ inboundHolder: HOLDER, inboundDueAt: null });
  expect((await queues.next(claim, 1, 10)).map(({ message }) => message.text)).toEqual(["second"]);
});

test.runIf(process.env.TEST_DATABASE_URL)("only a holder whose heartbeat has ended is found silent", async () => {
  const { queues } = stage.opened.store;
  await queues.beat("worker-dead", DEAD_AFTER_MS);
  await queues.beat("worker-alive", DEAD_AFTER_MS);
  expect(await queues.beat(HOLDER, 3_600_000)).toEqual([]);
  await stage.opened.database.prisma.$executeRaw`
    UPDATE worker_heartbeats SET seen_at = seen_at - interval '2 hours' WHERE holder IN ('worker-dead', ${HOLDER})`;
  // Its own row is renewed by the same statement.
  expect(await queues.beat(HOLDER, 3_600_000)).toEqual(["worker-dead"]);
  await queues.beat("worker-dead", DEAD_AFTER_MS);
  expect(await queues.beat(HOLDER, 3_600_000)).toEqual([]);
});

test("claims in memory are due at once when their holder is dead, and those of a live one are not", async () => {
  const { queues } = stage.opened.store;
  const lost = claimed(await write("hello", "worker-dead"));
  claimed(await say("hi there"));
  await queues.freeClaims(["worker-dead"], LEASE_MS);
  expect(await conversation()).toMatchObject({ outboundHolder: HOLDER, outboundDueAt: null });
  const taken = await stage.claim("inbound");
  expect(head(taken).message.text).toBe("hello");
  await expect(stage.claim()).rejects.toThrow("not due");
  // A process that only stood still changes nothing any more.
  expect(await queues.settle(lost, [head(lost)], sent(), { keepForMs: null })).toBeNull();
  expect(await queues.settle(taken, [head(taken)], sent(), { keepForMs: null })).not.toBeNull();
});

test("what a dead holder had begun is due only when the lease is over, and is found begun", async () => {
  const { queues } = stage.opened.store;
  const claim = claimed(await say("hi there"));
  expect(await queues.begin(claim, claim.messages, "async", LEASE_MS)).toBe(true);
  await queues.freeClaims([HOLDER], LEASE_MS);
  const { outboundBegunAt, outboundDueAt } = await conversation();
  expect(outboundDueAt?.getTime()).toBe((outboundBegunAt?.getTime() ?? 0) + LEASE_MS);
  await expect(stage.claim()).rejects.toThrow("not due");
  await stage.opened.database.prisma.$executeRaw`UPDATE conversations SET outbound_begun_at = now() - interval '1 hour'`;
  await queues.freeClaims([HOLDER], LEASE_MS);
  expect(head(await stage.claim())).toMatchObject({ message: { text: "hi there" }, begun: { way: "async" } });
});

test("a holder that only stood still settles what it had begun, as long as no other has claimed it", async () => {
  const { queues } = stage.opened.store;
  const claim = claimed(await say("hi there"));
  await queues.begin(claim, claim.messages, "async", LEASE_MS);
  await queues.freeClaims([HOLDER], LEASE_MS);
  expect(await queues.settle(claim, [head(claim)], sent(), { keepForMs: null })).toMatchObject({ hasMore: false });
  expect(await stage.stateOf(head(claim).message.id)).toEqual({ state: "sent", way: "async" });
  await expect(stage.claim()).rejects.toThrow("not due");
});

test("a dead holder's claims with a lease are freed with those in memory", async () => {
  const { queues } = stage.opened.store;
  await write("hello", null);
  const claim = await queues.claimQueue(
    { conversationId: CONTACT.conversationId, direction: "inbound" },
    { holder: HOLDER, messagesMax: 1, leaseMs: LEASE_MS },
  );
  expect(claim).not.toBeNull();
  await queues.freeClaims([HOLDER], LEASE_MS);
  expect(head(await stage.claim("inbound")).message.text).toBe("hello");
});

test("a claim that its worker never learnt of is given back by name, and no other", async () => {
  const { queues } = stage.opened.store;
  const inbound = { conversationId: CONTACT.conversationId, direction: "inbound" } as const;
  claimed(await write("hello"));
  claimed(await say("hi there"));
  await queues.releaseLost("worker-2", [inbound]);
  await expect(stage.claim("inbound")).rejects.toThrow("not due");
  await queues.releaseLost(HOLDER, [inbound, { ...inbound, conversationId: "cv_none" }]);
  await queues.releaseLost(HOLDER, [inbound]);
  await expect(stage.claim()).rejects.toThrow("not due");
  expect(head(await stage.claim("inbound")).message.text).toBe("hello");
  await queues.releaseLost(HOLDER, [inbound]);
  await expect(stage.claim("inbound")).rejects.toThrow("not due");
});

test("a claim that could not be settled is given back as it is: what was begun is found begun, and open callbacks come first", async () => {
  const { queues } = stage.opened.store;
  const outbound = { conversationId: CONTACT.conversationId, direction: "outbound" } as const;
  const claim = claimed(await say("hi there"));
  await queues.begin(claim, claim.messages, "async", LEASE_MS);
  await queues.releaseLost(HOLDER, [outbound]);
  const lost = await stage.claim();
  expect(head(lost).begun).toMatchObject({ way: "async" });
  const { openUntil } = await stage.write("hello");
  await queues.releaseLost(lost.holder, [outbound]);
  expect(await conversation()).toMatchObject({ outboundHolder: null, outboundDueAt: openUntil });
});

test("the start of an embedded database frees every claim, and what waited for callbacks of the process before", async () => {
  claimed(await write("hello"));
  await stage.write("and?");
  expect(await say("hi there")).toBeNull();
  await stage.opened.store.queues.freeAllClaims();
  expect(head(await stage.claim("inbound")).message.text).toBe("hello");
  expect(head(await stage.claim()).message.text).toBe("hi there");
});
