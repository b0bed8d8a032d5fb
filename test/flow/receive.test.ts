import { expect, test } from "vitest";
import { createSignals } from "../../src/base/signals.ts";
import type { ReservedSlot } from "../../src/domain/delivery.ts";
import type { DueQueue } from "../../src/domain/queue.ts";
import { type Change, SOMETHING } from "../../src/domain/signals.ts";
import type { InboundStore } from "../../src/domain/store.ts";
import { type ReceiveDeps, receive } from "../../src/flow/receive.ts";
import { CONTACT, textChannel, useFlowStage } from "./stage.ts";

const stage = useFlowStage();
const signals = createSignals<Change>();
const WAIT_MS = 60_000;

const callback = {
  kind: "message",
  message: {
    openId: CONTACT.openId,
    dedupeKey: "key-1",
    vendorMessageId: null,
    sentAt: new Date(),
    content: { type: "text", text: "hello" },
  },
  replyTo: { openId: CONTACT.openId, accountName: "gh_1", credential: null },
} as const;

async function receiveWith(record: InboundStore["record"], change: Partial<ReceiveDeps> = {}) {
  const account = await stage.opened.store.accounts.get(CONTACT.accountId);
  if (account === null) throw new Error("the stage has its account");
  const deps = { inbound: { record }, signals, deliver: () => {}, reserve: () => null, now: () => new Date(), ...change };
  return receive(callback, { account, channel: textChannel() }, deps, WAIT_MS);
}

test("a reply that comes before the callback has heard of its own storing is not missed", async () => {
  const received = await receiveWith(async (input) => {
    const recorded = await stage.opened.store.inbound.record(input);
    await stage.say("hi there");
    signals.notify(CONTACT.conversationId, SOMETHING);
    return recorded;
  });
  expect(received).toMatchObject({ isNew: true, hasReplies: false });
  expect(await received.changes?.next(WAIT_MS)).toEqual([{ kind: "something" }]);
  received.changes?.close();
});

test("a message that is not stored leaves nobody waiting", async () => {
  const failed = receiveWith(async () => {
    expect(signals.isAwaited(CONTACT.conversationId)).toBe(true);
    throw new Error("the database is away");
  });
  await expect(failed).rejects.toThrow("the database is away");
  expect(signals.isAwaited(CONTACT.conversationId)).toBe(false);
});

/** A slot of a worker that keeps what becomes of it, and of the queue. */
function slotOf(fate: unknown[]): Pick<ReceiveDeps, "reserve" | "deliver"> {
  const slot: ReservedSlot = {
    holder: "worker-1",
    work: (claim) => fate.push(["work", claim.holder, claim.messages.map(({ message }) => message.text), claim.callback?.openUntil]),
    giveBack: () => fate.push("give back"),
    lose: ({ direction }) => fate.push(["lose", direction]),
  };
  return {
    reserve: ({ direction }) => (direction === "inbound" ? slot : null),
    deliver: (queue: DueQueue) => fate.push(["deliver", queue.direction]),
  };
}

test("where a slot is free the message is claimed with its storing and worked on from memory, with its callback", async () => {
  const fate: unknown[] = [];
  const received = await receiveWith(stage.opened.store.inbound.record, slotOf(fate));
  expect(received.openUntil).not.toBeNull();
  expect(fate).toEqual([["work", "worker-1", ["hello"], received.openUntil]]);
  await expect(stage.claim("inbound")).rejects.toThrow("not due");
  received.changes?.close();
});

test("the slot is given back when the message was known already, or when the queue was not empty", async () => {
  await stage.write("before", 0);
  const fate: unknown[] = [];
  for (let count = 0; count < 2; count++) (await receiveWith(stage.opened.store.inbound.record, slotOf(fate))).changes?.close();
  expect(fate).toEqual(["give back", "give back"]);
  expect((await stage.claim("inbound")).messages.map(({ message }) => message.text)).toEqual(["before", "hello"]);
});

test("a slot whose message may have been stored or not is lost, so that the queue is released", async () => {
  const fate: unknown[] = [];
  const failed = receiveWith(async (input) => {
    await stage.opened.store.inbound.record(input);
    throw new Error("the connection broke after the commit");
  }, slotOf(fate));
  await expect(failed).rejects.toThrow("the connection broke");
  expect(fate).toEqual([["lose", "inbound"]]);
});

test("without a slot the message is due at once, and a worker is asked for", async () => {
  const fate: unknown[] = [];
  const { changes } = await receiveWith(stage.opened.store.inbound.record, { ...slotOf(fate), reserve: () => null });
  expect(fate).toEqual([["deliver", "inbound"]]);
  expect((await stage.claim("inbound")).messages.map(({ message }) => message.text)).toEqual(["hello"]);
  changes?.close();
});
