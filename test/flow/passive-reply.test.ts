import { expect, test } from "vitest";
import { createSignals } from "../../src/base/signals.ts";
import type { Content } from "../../src/domain/content.ts";
import type { Settlement } from "../../src/domain/queue.ts";
import { type Change, SOMETHING } from "../../src/domain/signals.ts";
import type { RecordedInbound } from "../../src/domain/store.ts";
import { findReply } from "../../src/flow/answer.ts";
import type { OpenCallback } from "../../src/flow/take-reply.ts";
import { CONTACT, head, textChannel, useFlowStage } from "./stage.ts";

const stage = useFlowStage();
const signals = createSignals<Change>();
const after = (ms: number) => new Date(Date.now() + ms);

function deps() {
  return { queues: stage.opened.store.queues, signals, deliver: () => {}, now: () => new Date() };
}

function callback(received: RecordedInbound, change: Partial<OpenCallback> = {}): OpenCallback {
  return {
    received: { ...received, accountId: CONTACT.accountId, isForwarded: true, changes: signals.subscribe(received.conversationId) },
    channel: textChannel(),
    replyTo: { openId: CONTACT.openId, accountName: "gh_1", credential: null },
    canSendAsync: true,
    waitUntil: after(20_000),
    deadline: after(20_000),
    isOver: () => false,
    ...change,
  };
}

async function saySoon(text: string): Promise<string> {
  const messageId = await stage.say(text);
  signals.notify(CONTACT.conversationId, SOMETHING);
  return messageId;
}

test("a reply that comes while the callback waits is given to it, and is sent when that is confirmed", async () => {
  const received = await stage.write("hello");
  const waiting = findReply(callback(received), deps());
  const messageId = await saySoon("hi there");
  const taken = await waiting;
  expect(taken?.body.body).toBe("hi there");
  await taken?.confirm();
  expect(await stage.stateOf(messageId)).toEqual({ state: "sent", way: "passive" });
});

/** The desk has the message, and no agent is there to answer it. `isCallbackClosed`: its settle has ended the reservation as well. */
const queueing = (messageId: string, isCallbackClosed = false): Change => ({
  kind: "forwarded",
  messageId,
  status: "queueing",
  isCallbackClosed,
});

test("a callback that nobody will answer ends without a query, and keeps no later reply waiting", async () => {
  const received = await stage.write("hello");
  const { queues } = stage.opened.store;
  const blind = { ...queues, claimForCallback: () => Promise.reject(new Error("queried")) };
  const waiting = findReply(callback(received), { ...deps(), queues: blind });
  signals.notify(CONTACT.conversationId, queueing(received.messageId));
  expect(await waiting).toBeNull();
  await stage.say("hi there");
  expect(head(await stage.claim()).message.text).toBe("hi there");
});

test("a callback whose reservation has ended with the settle of its message ends without any statement", async () => {
  const received = await stage.write("hello");
  const { queues } = stage.opened.store;
  const refuse = () => Promise.reject(new Error("asked"));
  const waiting = findReply(callback(received), { ...deps(), queues: { ...queues, claimForCallback: refuse, closeCallback: refuse } });
  signals.notify(CONTACT.conversationId, queueing("another", true));
  signals.notify(CONTACT.conversationId, queueing(received.messageId, true));
  expect(await waiting).toBeNull();
  expect(signals.isAwaited(CONTACT.conversationId)).toBe(false);
});

test("a reply of another process, whose signal is on its way when nobody is expected to answer any more, rides on the callback", async () => {
  const received = await stage.write("hello");
  const waiting = findReply(callback(received), deps());
  const messageId = await stage.say("hi there");
  signals.notify(CONTACT.conversationId, queueing(received.messageId));
  const taken = await waiting;
  expect(taken?.body.body).toBe("hi there");
  await taken?.confirm();
  expect(await stage.stateOf(messageId)).toEqual({ state: "sent", way: "passive" });
});

test("that the desk has another message of the contact does not end the wait", async () => {
  const received = await stage.write("hello");
  const waiting = findReply(callback(received), deps());
  signals.notify(CONTACT.conversationId, queueing("another"));
  await saySoon("hi there");
  expect((await waiting)?.body.body).toBe("hi there");
});

test("a reply that was taken too late and withdrawn goes out asynchronously, and the callback's repetition is not given it", async () => {
  const received = await stage.write("hello");
  const messageId = await stage.say("hi there");
  const taken = await findReply(callback(received), deps());
  await taken?.withdraw();
  expect(head(await stage.claim()).message.id).toBe(messageId);
  expect(await findReply(callback(received, { waitUntil: after(0) }), deps())).toBeNull();
});

test("a reply that comes when the time for taking one is over goes out asynchronously at once", async () => {
  const received = await stage.write("hello");
  const messageId = await stage.say("hi there");
  expect(await findReply(callback(received, { deadline: after(-1) }), deps())).toBeNull();
  const queued = head(await stage.claim());
  expect(queued).toMatchObject({ message: { id: messageId }, begun: null });
});

test("WeChat hangs up while the callback waits: the reply that comes then goes out asynchronously at once", async () => {
  const received = await stage.write("hello");
  let hasGone = false;
  const open = callback(received, { isOver: () => hasGone });
  const waiting = findReply(open, deps());
  hasGone = true;
  open.received.changes?.close();
  expect(await waiting).toBeNull();
  const messageId = await stage.say("hi there");
  expect(head(await stage.claim()).message.id).toBe(messageId);
});

test("WeChat hangs up while a reply is being taken: it is withdrawn and goes out asynchronously", async () => {
  const received = await stage.write("hello");
  const messageId = await stage.say("hi there");
  let hasGone = false;
  const { queues } = stage.opened.store;
  const cutting = {
    ...queues,
    begin: async (...given: Parameters<typeof queues.begin>) => {
      const begun = await queues.begin(...given);
      hasGone = true;
      return begun;
    },
  };
  expect(await findReply(callback(received, { isOver: () => hasGone }), { ...deps(), queues: cutting })).toBeNull();
  const queued = head(await stage.claim());
  expect(queued).toMatchObject({ message: { id: messageId }, begun: null });
});

test("what cannot ride on a response goes out asynchronously; where there is no such way it rides as text", async () => {
  const received = await stage.write("show me");
  const messageId = await stage.say({ type: "image", mediaId: "media-1", url: "https://shop.example/p.png" });
  expect(await findReply(callback(received), deps())).toBeNull();
  expect(head(await stage.claim()).message.id).toBe(messageId);
});

/** A reply that failed a moment ago and is tried again in an hour. */
async function sayAndFail(content: Content): Promise<Date | null | undefined> {
  await stage.say(content);
  const claim = await stage.claim();
  const failed: Settlement = {
    outcome: { kind: "retry", code: "-1", detail: "busy" },
    next: { kind: "again", afterMs: 3_600_000 },
    way: "async",
    attempt: { startedAt: new Date(), durationMs: 1 },
  };
  await stage.opened.store.queues.settle(claim, [head(claim)], failed, { keepForMs: null });
  return (await queue())?.outboundDueAt;
}

const queue = () => stage.opened.database.prisma.conversation.findFirst();

test("a reply in a pause that cannot ride on a response waits out its pause all the same", async () => {
  const dueAt = await sayAndFail({ type: "image", mediaId: "media-1", url: "https://shop.example/p.png" });
  expect(await findReply(callback(await stage.write("show me")), deps())).toBeNull();
  expect(await queue()).toMatchObject({ outboundDueAt: dueAt, outboundHolder: null, openCallbacks: [] });
});

test("a reply in a pause that was taken and withdrawn waits out its pause all the same", async () => {
  const dueAt = await sayAndFail({ type: "text", text: "hi there" });
  const taken = await findReply(callback(await stage.write("hello")), deps());
  expect(taken?.body.body).toBe("hi there");
  await taken?.withdraw();
  expect(await queue()).toMatchObject({ outboundDueAt: dueAt, outboundHolder: null, openCallbacks: [] });
});

test("a callback whose reply has passed to a repetition keeps no later reply waiting once it has ended", async () => {
  const first = await stage.write("hello");
  await stage.say("hi there");
  const taken = await findReply(callback(first), deps());
  const repeated = await findReply(callback(await stage.write("hello")), deps());
  await taken?.withdraw();
  await repeated?.confirm();
  await stage.say("and another thing");
  expect(head(await stage.claim()).message.text).toBe("and another thing");
});

test("a begin whose answer was lost is taken back: nothing was given, so the reply goes out asynchronously, without a doubt", async () => {
  const received = await stage.write("hello");
  const messageId = await stage.say("hi there");
  const { queues } = stage.opened.store;
  const forgetful = {
    ...queues,
    begin: async (...given: Parameters<typeof queues.begin>): Promise<boolean> => {
      await queues.begin(...given);
      throw new Error("the connection broke after the commit");
    },
  };
  await expect(findReply(callback(received), { ...deps(), queues: forgetful })).rejects.toThrow("the connection broke");
  expect(head(await stage.claim())).toMatchObject({ message: { id: messageId }, begun: null });
  expect((await findReply(callback(received, { waitUntil: after(0) }), deps()))?.body).toBeUndefined();
});

test("without asynchronous messages, what cannot ride as it is rides as text", async () => {
  const received = await stage.write("show me");
  await stage.say({ type: "image", mediaId: "media-1", url: "https://shop.example/p.png" });
  const taken = await findReply(callback(received, { canSendAsync: false }), deps());
  expect(taken?.body.body).toContain("https://shop.example/p.png");
});

test("a repetition that joins the waiting callback gets the same reply, whoever confirms it, and replies after it do not wait", async () => {
  const received = await stage.write("hello");
  const joined = await stage.write("hello");
  expect(joined).toMatchObject({ messageId: received.messageId, isNew: false });
  const both = [findReply(callback(received), deps()), findReply(callback(joined), deps())];
  const messageId = await saySoon("hi there");
  const taken = await Promise.all(both);
  expect(taken.map((reply) => reply?.body.body)).toEqual(["hi there", "hi there"]);
  await Promise.all(taken.map((reply) => reply?.confirm()));
  expect(await stage.stateOf(messageId)).toEqual({ state: "sent", way: "passive" });
  await stage.say("and another thing");
  expect(head(await stage.claim()).message.text).toBe("and another thing");
});

test("a reply that a repetition is giving cannot be taken back by the first callback, so it is seen once", async () => {
  const received = await stage.write("hello");
  const messageId = await stage.say("hi there");
  const first = await findReply(callback(received), deps());
  const repeated = await findReply(callback(await stage.write("hello")), deps());
  expect(repeated?.body.body).toBe("hi there");
  await first?.withdraw();
  await expect(stage.claim()).rejects.toThrow("not due");
  await repeated?.confirm();
  expect(await stage.stateOf(messageId)).toEqual({ state: "sent", way: "passive" });
});

test("a reply that the first callback gave after all is sent, even when its repetition died", async () => {
  const received = await stage.write("hello");
  const messageId = await stage.say("hi there");
  const first = await findReply(callback(received), deps());
  await findReply(callback(await stage.write("hello")), deps());
  await first?.confirm();
  expect(await stage.stateOf(messageId)).toEqual({ state: "sent", way: "passive" });
});

test("a long reply whose first part was taken only by WeChat's repetition goes on with the second", async () => {
  const received = await stage.write("tell me everything");
  const messageId = await stage.say("first line\nsecond line\nthird");
  const short = { channel: textChannel({ passiveTextBytesMax: 12 }) };
  const lost = await findReply(callback(received, short), deps());
  const repeated = await findReply(callback(await stage.write("tell me everything"), short), deps());
  expect([lost?.body.body, repeated?.body.body]).toEqual(["first line\n", "first line\n"]);
  await repeated?.confirm();
  const queued = head(await stage.claim());
  expect(queued).toMatchObject({ message: { id: messageId }, progress: "first line\n".length, begun: null });
});

test("a reply that an earlier holder began and lost is marked uncertain, and the callback takes the next one", async () => {
  await stage.write("hello", 0);
  const first = await stage.say("one");
  const claim = await stage.claim();
  await stage.opened.store.queues.begin(claim, [head(claim)], "async", 0);
  await stage.say("two");
  const received = await stage.write("anybody there?");
  const taken = await findReply(callback(received), deps());
  expect(taken?.body.body).toBe("two");
  expect((await stage.stateOf(first)).state).toBe("uncertain");
});
