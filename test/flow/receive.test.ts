import { expect, test } from "vitest";
import { createSignals } from "../../src/base/signals.ts";
import { type Change, SOMETHING } from "../../src/domain/signals.ts";
import type { InboundStore } from "../../src/domain/store.ts";
import { receive } from "../../src/flow/receive.ts";
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

async function receiveWith(record: InboundStore["record"]) {
  const account = await stage.opened.store.accounts.get(CONTACT.accountId);
  if (account === null) throw new Error("the stage has its account");
  const deps = { inbound: { record }, signals, deliver: () => {}, now: () => new Date() };
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
