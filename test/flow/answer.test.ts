import { expect, test } from "vitest";
import { TooLateError } from "../../src/base/before.ts";
import { createSignals } from "../../src/base/signals.ts";
import type { Connection } from "../../src/domain/connection.ts";
import { type Change, SOMETHING } from "../../src/domain/signals.ts";
import { type AnswerDeps, answerCallback } from "../../src/flow/answer.ts";
import type { Deadlines } from "../../src/flow/deadlines.ts";
import { eventually } from "../support/gateway.ts";
import { CONTACT, head, textChannel, useFlowStage } from "./stage.ts";

/* Each way in which a callback can end, once. Afterwards nothing listens for it, and no reply waits for it. */

const stage = useFlowStage();
const signals = createSignals<Change>();
const notThere = () => Promise.reject(new Error("not part of this test"));

interface Scene {
  text?: string;
  deadlines?: Partial<Deadlines>;
  gone?: AbortController;
  /** In place of the store's own functions. */
  record?: AnswerDeps["inbound"]["record"];
  queues?: Partial<AnswerDeps["queues"]>;
  now?: () => Date;
  log?: string[];
}

async function answer({
  text = "hello",
  deadlines,
  gone = new AbortController(),
  record,
  queues,
  now = () => new Date(),
  log = [],
}: Scene = {}) {
  const { accounts, inbound, queues: stored } = stage.opened.store;
  const account = await accounts.get(CONTACT.accountId);
  if (account === null) throw new Error("the stage has its account");
  const desk = { submit: notThere, openPush: notThere, testChannel: notThere } as unknown as Connection["desk"];
  const connection: Connection = { account, channel: textChannel(), desk, acceptsPushToken: () => false };
  const note = (_fields: unknown, event: string) => log.push(event);
  const deps: AnswerDeps = {
    ...{ accounts, signals, now, queues: { ...stored, ...queues }, inbound: { record: record ?? inbound.record } },
    ...{ deliver: () => {}, reserve: () => null, connections: { get: notThere, forget: () => {} } },
    log: { debug: note, info: note, warn: note, error: note },
  };
  const message = {
    openId: CONTACT.openId,
    dedupeKey: text,
    vendorMessageId: null,
    sentAt: new Date(),
    content: { type: "text", text },
  } as const;
  const opened = { kind: "message", message, replyTo: { openId: CONTACT.openId, accountName: "gh_1", credential: null } } as const;
  // Minutes ahead, so that no deadline passes by itself.
  const times = { arrivedAt: after(600_000), storeBy: after(600_000), mayWait: () => true, ...deadlines };
  return answerCallback(opened, connection, times, gone.signal, deps);
}

const after = (ms: number) => new Date(Date.now() + ms);
const queue = () => stage.opened.database.prisma.conversation.findFirst();

async function saySoon(text: string): Promise<string> {
  const messageId = await stage.say(text);
  signals.notify(CONTACT.conversationId, SOMETHING);
  return messageId;
}

async function untilItWaits(): Promise<void> {
  await eventually("the callback to be open", queue, (row) => (row?.openCallbacks.length ?? 0) > 0);
}

/** Nothing listens for this callback any more, and no reply waits for it. */
async function expectEnded(): Promise<void> {
  expect(signals.isAwaited(CONTACT.conversationId)).toBe(false);
  expect(await queue()).toMatchObject({ openCallbacks: [] });
}

async function answerWith(text: string) {
  const answering = answer();
  await untilItWaits();
  const messageId = await saySoon(text);
  return { messageId, answered: await answering };
}

test("a reply that was given is sent; that its connection closes afterwards changes nothing", async () => {
  const { messageId, answered } = await answerWith("hi there");
  expect(answered.body?.body).toBe("hi there");
  await answered.sent();
  await answered.lost();
  expect(await stage.stateOf(messageId)).toEqual({ state: "sent", way: "passive" });
  await expectEnded();
  await stage.say("and another thing");
  expect(head(await stage.claim()).message.text).toBe("and another thing");
});

test("a reply whose connection closed is not sent by a word that comes later; WeChat's repetition gets the same reply", async () => {
  const { messageId, answered } = await answerWith("hi there");
  await answered.lost();
  await answered.sent();
  await expectEnded();
  expect((await stage.stateOf(messageId)).state).toBe("queued");
  await expect(stage.claim()).rejects.toThrow("not due");
  const repeated = await answer();
  expect(repeated.body?.body).toBe("hi there");
  await repeated.sent();
  expect(await stage.stateOf(messageId)).toEqual({ state: "sent", way: "passive" });
  await expectEnded();
});

test("a reply that is lost twice stays begun until its lease has ended, and is uncertain then", async () => {
  const { messageId, answered } = await answerWith("hi there");
  await answered.lost();
  const repeated = await answer();
  await repeated.lost();
  await expectEnded();
  await stage.opened.database.query("UPDATE conversations SET outbound_due_at = now()", []);
  await stage.say("and another thing");
  const next = await answer({ text: "anybody there?" });
  expect(next.body?.body).toBe("and another thing");
  expect((await stage.stateOf(messageId)).state).toBe("uncertain");
});

test("without a reply the callback is acknowledged, and how its response ends changes nothing", async () => {
  const answered = await answer({ deadlines: { arrivedAt: new Date(), mayWait: () => false } });
  expect(answered.body).toBeNull();
  await answered.sent();
  await answered.lost();
  await expectEnded();
});

test("no agent is there: the callback is acknowledged, and a later reply does not wait for it", async () => {
  const answering = answer();
  await untilItWaits();
  const message = await stage.opened.database.prisma.message.findFirstOrThrow();
  signals.notify(CONTACT.conversationId, { kind: "forwarded", messageId: message.id, status: "queueing", isCallbackClosed: false });
  expect((await answering).body).toBeNull();
  await expectEnded();
});

test("WeChat hangs up while the message is stored: it is stored, and a reply does not wait for its callback", async () => {
  const gone = new AbortController();
  const { record } = stage.opened.store.inbound;
  const answered = await answer({ gone, record: (input) => record(input).finally(() => gone.abort()) });
  expect(answered.body).toBeNull();
  await expectEnded();
  await stage.say("hi there");
  expect(head(await stage.claim()).message.text).toBe("hi there");
});

test("WeChat hangs up while a repetition is stored: it takes nothing over from the callback that is giving the reply", async () => {
  const { messageId, answered } = await answerWith("hi there");
  const gone = new AbortController();
  gone.abort();
  expect((await answer({ gone })).body).toBeNull();
  await answered.sent();
  expect(await stage.stateOf(messageId)).toEqual({ state: "sent", way: "passive" });
  await expectEnded();
});

test("WeChat hangs up while the callback waits: its wait ends at once", async () => {
  const gone = new AbortController();
  const answering = answer({ gone });
  await untilItWaits();
  gone.abort();
  expect((await answering).body).toBeNull();
  await expectEnded();
});

test("WeChat hangs up while a reply is taken: nothing was written, so it goes another way without a doubt", async () => {
  const gone = new AbortController();
  const { begin } = stage.opened.store.queues;
  const answering = answer({ gone, queues: { begin: (...given) => begin(...given).finally(() => gone.abort()) } });
  await untilItWaits();
  const messageId = await saySoon("hi there");
  expect((await answering).body).toBeNull();
  await expectEnded();
  expect(head(await stage.claim())).toMatchObject({ message: { id: messageId }, begun: null });
});

test("a message that is stored too late is refused, and a reply does not wait for its callback", async () => {
  const { record } = stage.opened.store.inbound;
  let store = () => {};
  const held = new Promise<void>((resolve) => {
    store = resolve;
  });
  const answering = answer({ deadlines: { storeBy: after(0) }, record: (input) => held.then(() => record(input)) });
  await expect(answering).rejects.toThrow(TooLateError);
  store();
  await eventually("the callback to end", queue, (row) => row?.openCallbacks.length === 0);
  expect(signals.isAwaited(CONTACT.conversationId)).toBe(false);
});

test("a message that cannot be stored is refused, and nothing listens for it", async () => {
  await expect(answer({ record: () => Promise.reject(new Error("the database is away")) })).rejects.toThrow("the database is away");
  expect(signals.isAwaited(CONTACT.conversationId)).toBe(false);
  expect(await queue()).toBeNull();
});

test("a fault while a reply is looked for is not the callback's: it is acknowledged, and the reply does not wait for it", async () => {
  const log: string[] = [];
  const claimForCallback = () => Promise.reject(new Error("the connection broke"));
  const answering = answer({ log, queues: { claimForCallback } });
  await untilItWaits();
  await saySoon("hi there");
  expect((await answering).body).toBeNull();
  expect(log).toContain("callback.without-reply");
  await expectEnded();
  expect(head(await stage.claim()).message.text).toBe("hi there");
});

test("a reply that is taken too late for the answer is withdrawn and goes another way", async () => {
  await stage.write("before", 0);
  const messageId = await stage.say("hi there");
  const { begin } = stage.opened.store.queues;
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  // Close to the last moment for taking a reply: the answer goes while `begin` is under way.
  const now = () => new Date(4_590);
  const scene = {
    now,
    deadlines: { arrivedAt: new Date(0), storeBy: new Date(60_000) },
    queues: { begin: (...given: Parameters<typeof begin>) => held.then(() => begin(...given)) },
  };
  expect((await answer(scene)).body).toBeNull();
  goOn();
  const claimed = await eventually(
    "the reply to be due",
    () => stage.claim().catch(() => null),
    (claim) => claim !== null,
  );
  expect(claimed && head(claimed)).toMatchObject({ message: { id: messageId }, begun: null });
  await eventually("the callback to end", queue, (row) => row?.openCallbacks.length === 0);
});
