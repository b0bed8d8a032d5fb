import { expect, test } from "vitest";
import { eventually, look, startGateway } from "./support/gateway.ts";

const queueing = { status: "queueing", turn: 1, agent_name: "", msg: "" };

test("a reply that the platform refused is sent once by the retry button, however often it is pressed", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", queueing);
  await account.wechat.sendText("oA", "hello");
  gateway.wechat.misbehave({ kind: "errcode", errcode: 40003, errmsg: "invalid openid", path: "/cgi-bin/message/custom/send", times: 1 });
  await gateway.desk.pushText("oA", "refused at first");
  const { messages } = await eventually(
    "the refusal",
    () => look(gateway, account, "oA"),
    (shown) => shown.messages.at(-1)?.state === "failed",
  );
  const id = messages.at(-1)?.id;
  const presses = await Promise.all(Array.from({ length: 4 }, () => gateway.api("POST", `/messages/${id}/retry`)));
  expect(presses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  await gateway.wechat.waitForSeen("oA", 1);
  await gateway.desk.pushText("oA", "and then this");
  const seen = await gateway.wechat.waitForSeen("oA", ({ text }) => text === "and then this");
  expect(seen.map(({ text }) => text)).toEqual(["refused at first", "and then this"]);
  expect(await gateway.api("POST", `/messages/${id}/retry`)).toMatchObject({ status: 200, body: { state: "sent" } });
});

test("everything a desk refused goes out again in order with one request", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", queueing);
  const back = gateway.desk.misbehave({ kind: "status", status: 422 });
  for (const text of ["one", "two", "three"]) await account.wechat.sendText("oA", text);
  await eventually(
    "all three to be dead",
    () => look(gateway, account, "oA"),
    ({ conversation }) => conversation.pending.dead === 3,
  );
  back();
  const { body } = await gateway.api("POST", "/messages/retry", { accountId: account.id, state: "dead" });
  expect(body).toEqual({ retried: 3, more: false });
  await gateway.desk.waitForReceived("oA", 3);
  expect(gateway.desk.received("oA").map(({ text }) => text)).toEqual(["one", "two", "three"]);
  expect((await gateway.api("POST", "/messages/retry", { state: "everything" })).status).toBe(400);
  expect((await gateway.api("POST", "/messages/ms_unknown/retry")).status).toBe(404);
});

test("a desk that keeps failing is probed instead of hammered, and everybody is served when it is back", async () => {
  const gateway = await startGateway({ pauseMs: () => 1 });
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", queueing);
  const back = gateway.desk.misbehave({ kind: "status", status: 503 });
  const contacts = Array.from({ length: 12 }, (_, index) => `oContact${index}`);
  for (const openId of contacts) await account.wechat.sendText(openId, "hello");
  const refusedAt = gateway.desk.calls();
  const other = await gateway.connect("official_account", {
    id: "other",
    wechat: { appId: "wx00000000000000bb" },
    desk: { url: `${gateway.desk.url}` },
  });
  await other.wechat.sendText("oOther", "another account's message is tried at once");
  expect(gateway.desk.calls()).toBeGreaterThan(refusedAt);
  back();
  for (const openId of contacts) await gateway.desk.waitForReceived(openId, 1);
  for (const openId of contacts) expect(gateway.desk.received(openId).map(({ text }) => text)).toEqual(["hello"]);
  // Tries of one account without a breaker: one a millisecond for each of twelve contacts.
  expect(refusedAt).toBeLessThan(60);
});

test("customers are told once per outage that the desk is away, on the open callback where there is one", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", queueing);
  let back = gateway.desk.misbehave({ kind: "status", status: 503 });
  await account.wechat.sendText("oEarly", "before it was clear that nobody is there");
  const [told] = await gateway.wechat.waitForSeen("oEarly", 1);
  expect(told).toMatchObject({ way: "async", text: expect.stringContaining("客服系统暂时无法连接") });
  expect((await account.wechat.sendText("oEarly", "and a second one")).reply).toBeNull();
  expect((await account.wechat.sendText("oLate", "hello")).reply).toMatchObject({ text: told?.text });
  expect((await account.wechat.sendText("oLate", "hello?")).reply).toBeNull();

  back();
  for (const openId of ["oEarly", "oLate"]) await gateway.desk.waitForReceived(openId, 2);
  await gateway.desk.pushText("oEarly", "here we are");
  await gateway.wechat.waitForSeen("oEarly", 2);
  expect(gateway.wechat.seenBy(account.wechat, "oEarly").map(({ text }) => text)).toEqual([told?.text, "here we are"]);

  back = gateway.desk.misbehave({ kind: "status", status: 503 });
  await account.wechat.sendText("oEarly", "gone again?");
  await gateway.wechat.waitForSeen("oEarly", 3);
  expect(gateway.wechat.seenBy(account.wechat, "oEarly").at(-1)).toMatchObject({ text: told?.text });
  back();
});

test("without notices nobody is told of an outage, and every message arrives after it", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account", { replies: { notices: "never" } });
  gateway.desk.setAnswer("*", queueing);
  const back = gateway.desk.misbehave({ kind: "status", status: 503 });
  await account.wechat.sendText("oA", "one");
  await eventually(
    "the breaker to open",
    async () => gateway.desk.calls(),
    (calls) => calls >= 5,
  );
  expect((await account.wechat.sendText("oB", "two")).reply).toBeNull();
  back();
  for (const openId of ["oA", "oB"]) await gateway.desk.waitForReceived(openId, 1);
  await gateway.desk.pushText("oA", "here");
  await gateway.wechat.waitForSeen("oA", 1);
  expect(gateway.wechat.seenBy(account.wechat, "oA").map(({ text }) => text)).toEqual(["here"]);
  expect(gateway.wechat.seenBy(account.wechat, "oB")).toEqual([]);
});
