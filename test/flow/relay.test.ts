import { expect, test } from "vitest";
import type { PassiveChannel } from "../../src/domain/channel.ts";
import type { Connection, Connections } from "../../src/domain/connection.ts";
import type { Content } from "../../src/domain/content.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { Claim } from "../../src/domain/queue.ts";
import { relay } from "../../src/flow/relay.ts";
import { head, textChannel, useFlowStage } from "./stage.ts";

const stage = useFlowStage();
const LEASE_MS = 30_000;

/** The account's connection with a channel that keeps what it is given. */
function connected(outcome: Outcome, sent: Content[] = [], async = true): Connections {
  const channel = textChannel({
    send: async (_openId, content) => {
      sent.push(content);
      return outcome;
    },
  });
  return {
    forget: () => {},
    get: async () => ({ account: { id: "shop", warnings: [], replies: { async } }, channel }) as unknown as Connection,
  };
}

function deps(connections: Connections) {
  const { queues, accounts, conversations } = stage.opened.store;
  return { connections, queues, accounts, conversations, leaseMs: LEASE_MS, now: () => new Date(), pauseMs: () => 0 };
}

const { signal } = new AbortController();

test("a message that was found begun is uncertain, even when its account cannot be read just then", async () => {
  await stage.say("one");
  const lost = await stage.claim();
  await stage.opened.store.queues.begin(lost, [head(lost)], "async", 0);
  const claim = await stage.claim();
  const failing: Connections = { forget: () => {}, get: () => Promise.reject(new Error("the database is away")) };
  expect(await relay(claim, head(claim), deps(failing), signal)).toMatchObject({
    outcome: { kind: "uncertain", code: "SENDER_LOST" },
    next: { kind: "finished", state: "uncertain" },
    way: "async",
  });
});

test("nothing is sent for a queue that has passed to another holder", async () => {
  await stage.say("one");
  const claim = await stage.claim();
  await stage.opened.database.prisma.$executeRaw`UPDATE conversations SET outbound_due_at = now()`;
  const next = await stage.claim();
  const sent: Content[] = [];
  const connections = connected({ kind: "done" }, sent);
  expect(await relay(claim, head(claim), deps(connections), signal)).toBeNull();
  expect(sent).toEqual([]);
  await relay(next, head(next), deps(connections), signal);
  expect(sent).toEqual([{ type: "text", text: "one" }]);
});

test("a fault while sending is uncertain: the bytes may have left", async () => {
  await stage.say("one");
  const claim = await stage.claim();
  const channel = textChannel({ send: () => Promise.reject(new TypeError("a mistake of ours")) });
  const connections: Connections = {
    forget: () => {},
    get: async () => ({ account: { replies: { async: true } }, channel }) as unknown as Connection,
  };
  expect(await relay(claim, head(claim), deps(connections), signal)).toMatchObject({ outcome: { kind: "uncertain", code: "SEND_FAILED" } });
});

test("a text that is too long goes on in half of its size, and never after the queue has passed to another holder", async () => {
  const { queues } = stage.opened.store;
  const messageId = await stage.say("one two ".repeat(50));
  const tooLong: Outcome = { kind: "rejected", code: "45002", detail: "too long", isTooLong: true };
  const sent: string[] = [];
  const channelOf = (answer: (text: string) => Promise<Outcome>): Connections => {
    const send: PassiveChannel["send"] = async (_openId, content) => {
      if (content.type !== "text") throw new Error("not a text");
      sent.push(content.text);
      return answer(content.text);
    };
    const connection = { account: { id: "shop", warnings: [], replies: { async: true } }, channel: textChannel({ send }) };
    return { forget: () => {}, get: async () => connection as unknown as Connection };
  };

  // The lease ends while the platform refuses, and another worker finds the message begun.
  const overtaken = await stage.claim();
  const steal = async () => {
    await stage.opened.database.prisma.$executeRaw`UPDATE conversations SET outbound_due_at = now()`;
    await stage.claim();
    return tooLong;
  };
  expect(await relay(overtaken, head(overtaken), deps(channelOf(steal)), signal)).toBeNull();
  expect(sent).toEqual(["one two ".repeat(50)]);

  await stage.opened.database.prisma.$executeRaw`
    UPDATE conversations SET outbound_begun = 0, outbound_begun_at = NULL, outbound_begun_way = NULL, outbound_due_at = now()`;
  sent.length = 0;
  const accepted: string[] = [];
  const limited = channelOf(async (text) => {
    if (text.length > 250) return tooLong;
    accepted.push(text);
    return { kind: "done" };
  });
  const claims: Claim[] = [];
  while ((await stage.stateOf(messageId)).state !== "sent") {
    // Each part is another worker's: what is out stands in the database alone.
    const claim = await stage.claim();
    claims.push(claim);
    const settlement = await relay(claim, head(claim), deps(limited), signal);
    if (settlement === null) throw new Error("the queue has passed to another holder");
    await queues.settle(claim, [head(claim)], settlement, { keepForMs: null });
  }
  expect(accepted.join("")).toBe("one two ".repeat(50));
  expect(claims.length).toBe(accepted.length);
  expect(sent.length).toBeGreaterThan(accepted.length);
});

test("a refused reply is held for the contact's next message, and goes out if that came while it was refused", async () => {
  const { queues } = stage.opened.store;
  const messageId = await stage.say("one");
  const refuse = async (writes: boolean) => {
    const claim = await stage.claim();
    const settlement = await relay(claim, head(claim), deps(connected({ kind: "hold", code: "45015", detail: "outside" })), signal);
    if (settlement === null) throw new Error("the queue has passed to another holder");
    if (writes) await stage.write("here I am", 0);
    await queues.settle(claim, [head(claim)], settlement, { keepForMs: null });
  };
  await refuse(true);
  await refuse(false);
  expect((await stage.stateOf(messageId)).state).toBe("held");
  await expect(stage.claim()).rejects.toThrow("not due");
  await stage.write("and again", 0);
  expect(head(await stage.claim()).message.id).toBe(messageId);
});

test("with asynchronous messages off nothing is sent, and the reply rides on the next callback", async () => {
  const messageId = await stage.say("one");
  const claim = await stage.claim();
  const sent: Content[] = [];
  const settlement = await relay(claim, head(claim), deps(connected({ kind: "done" }, sent, false)), signal);
  expect(settlement).toMatchObject({ outcome: { kind: "hold", code: "ASYNC_OFF" }, next: { kind: "held" } });
  expect(sent).toEqual([]);
  if (settlement) await stage.opened.store.queues.settle(claim, [head(claim)], settlement, { keepForMs: null });
  const received = await stage.write("hello");
  const prospect = await stage.opened.store.queues.claimForCallback({
    ...received,
    holder: "callback-1",
    messagesMax: 1,
    leaseMs: LEASE_MS,
  });
  expect(prospect.claim?.messages[0]?.message.id).toBe(messageId);
});

test("a text that was stored without anything to read is never sent, and holds up nothing behind it", async () => {
  for (const async of [true, false]) {
    const emptyId = await stage.say("\u0007\u200b");
    const claim = await stage.claim();
    const sent: Content[] = [];
    const settlement = await relay(claim, head(claim), deps(connected({ kind: "done" }, sent, async)), signal);
    expect(settlement).toMatchObject({ outcome: { kind: "rejected", code: "TEXT_EMPTY" }, next: { kind: "finished", state: "failed" } });
    if (settlement) await stage.opened.store.queues.settle(claim, [head(claim)], settlement, { keepForMs: null });
    expect(sent).toEqual([]);
    expect(await stage.stateOf(emptyId)).toEqual({ state: "failed", way: null });
  }
});
