import { afterEach, beforeEach, expect, test } from "vitest";
import { type DeskEmulator, startDesk } from "../../src/emulators/desk.ts";
import { signQuery, toSign } from "../../src/emulators/desk-sign.ts";
import { type LoopbackRequest, startLoopback } from "../../src/emulators/loopback.ts";
import { json } from "../../src/emulators/loopback-answer.ts";
import { childText, parseXml } from "../../src/wechat/xml.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const NOW = new Date("2026-01-31T20:03:04Z");

let desk: DeskEmulator;
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  desk = await startDesk({ key: KEY, now: () => NOW });
  closing.push(desk.close);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function messageXml(fields: Record<string, string> = {}): string {
  const all = {
    FromUserName: "oABC",
    Number: "",
    Email: "",
    CreateTime: "1769889784",
    MsgType: "text",
    MsgId: "4611686018427387905",
    Content: "hello",
    ...fields,
  };
  return `<xml>${Object.entries(all)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join("")}</xml>`;
}

async function submit(xml = messageXml(), query: Record<string, string> = signQuery(KEY, NOW)): Promise<Record<string, unknown>> {
  const response = await fetch(`${desk.url}?${new URLSearchParams(query)}`, { method: "POST", body: xml });
  return Object(await response.json());
}

test("the sign is the published one", () => {
  // udesk.md A, "Test vectors"
  const timestamp = "20151124141451";
  expect(toSign(KEY, { number: "13574221234", email: "894733082@qq.com", timestamp })).toBe("301B50B00CB609836B0D52FE4AB93CC8");
  expect(toSign(KEY, { number: "", email: "", timestamp })).toBe("5115174BBECA8A19B2FE835E3BBEA724");
  expect(signQuery(KEY, NOW)).toMatchObject({ timestamp: "20260201040304" });
});

const signed = signQuery(KEY, NOW);
const withTimestamp = (timestamp: string) => ({ ...signed, timestamp, sign: toSign(KEY, { number: "", email: "", timestamp }) });
test.each([
  ["another key", signQuery("another key", NOW), "sign验证不通过"],
  ["lower case", { ...signed, sign: signed.sign?.toLowerCase() ?? "" }, "sign验证不通过"],
  ["a number that it does not cover", { ...signed, number: "13574221234" }, "sign验证不通过"],
  ["the time in UTC", withTimestamp("20260131200304"), "sign验证不通过"],
  ["the time in seconds", withTimestamp("1769889784"), "sign验证不通过"],
  ["no sign", { number: "", email: "", timestamp: "20260201040304" }, "请传递验证参数"],
])("a sign with %s is refused, the next good one is taken", async (_what, query, msg) => {
  expect(await submit(messageXml(), query)).toEqual({ success: false, msg });
  const channelTest = await fetch(`${desk.url}/test?${new URLSearchParams(query)}`);
  expect(await channelTest.json()).toEqual({ success: false, msg });
  expect(await submit()).toMatchObject({ status: "queueing" });
  expect(desk.received("oABC")).toHaveLength(1);
});

test("the channel test answers a good sign with success", async () => {
  const response = await fetch(`${desk.url}/test?${new URLSearchParams(signed)}`);
  expect(await response.json()).toEqual({ success: true });
});

test.each([
  ["milliseconds", { CreateTime: "1769889784000" }, /CreateTime/],
  ["a UUID for a MsgId", { MsgId: "0b1c4a5e-7a55-4c2f-a6a5-0d6a0b1a9d3e" }, /MsgId/],
  ["a MsgId beyond 64 bits", { MsgId: "18446744073709551616" }, /MsgId/],
  ["an unknown type", { MsgType: "hologram" }, /MsgType/],
  ["an image without its media id", { MsgType: "image", PicUrl: "http://x" }, /MediaId/],
])("a message with %s is refused and not received", async (_what, fields, msg) => {
  expect(await submit(messageXml(fields))).toEqual({ success: false, msg: expect.stringMatching(msg) });
  await submit(messageXml({ Content: "a good one" }));
  expect(desk.received("oABC").map(({ text }) => text)).toEqual(["a good one"]);
});

test("a repeated message is received twice and marked", async () => {
  await submit();
  await submit();
  await submit(messageXml({ MsgId: "2" }));
  expect(desk.received("oABC")).toMatchObject([
    { msgId: "4611686018427387905", repeated: false, text: "hello", at: NOW },
    { msgId: "4611686018427387905", repeated: true },
    { msgId: "2", repeated: false },
  ]);
});

test("a contact queues until an agent takes it; its own rule stands before that for all", async () => {
  expect(await submit()).toEqual({ status: "queueing", turn: 2, agent_name: "", msg: "2 customers before you" });
  desk.setAnswer("*", { status: "offline", turn: 0, agent_name: "", msg: "We open at nine" });
  expect(await submit()).toMatchObject({ status: "offline" });
  desk.assign("oABC", "Lily");
  expect(await submit()).toEqual({ status: "chatting", turn: 0, agent_name: "Lily", msg: "Lily is serving you!" });
  desk.setAnswer("oABC", ({ text = "" }) => ({ status: "chatting", turn: 0, agent_name: "Echo", msg: text }));
  expect(await submit()).toMatchObject({ agent_name: "Echo", msg: "hello" });
});

async function connectPush(answer = json({ errcode: 0, errmsg: "ok", success: true })) {
  const pushes: LoopbackRequest[] = [];
  const gateway = await startLoopback(async (request) => {
    pushes.push(request);
    return answer;
  });
  closing.push(gateway.close);
  desk.connectPush(`${gateway.url}/desk/shop/token`);
  return pushes;
}

test("a push is signed and says the same in each of its forms", async () => {
  const pushes = await connectPush();
  const options = { messageId: "m1", status: "chatting", turn: 0, agentName: "Lily" };
  const result = await desk.pushText("oABC", "你好 & ]]>", { ...options, as: "json" });
  await desk.pushText("oABC", "你好 & ]]>", { ...options, as: "form" });
  await desk.pushText("oABC", "你好 & ]]>", { ...options, as: "xml" });
  expect(result).toMatchObject({ status: 200, ack: { errcode: 0 } });

  const [asJson, asForm, asXml] = pushes.map(({ body }) => body.toString());
  const expected = { touser: "oABC", msgtype: "text", message_id: "m1", status: "chatting", agent_name: "Lily" };
  expect(JSON.parse(asJson ?? "")).toEqual({ ...expected, turn: 0, text: { content: "你好 & ]]>" } });
  expect(Object.fromEntries(new URLSearchParams(asForm))).toEqual({ ...expected, turn: "0", "text[content]": "你好 & ]]>" });
  const root = parseXml(asXml ?? "");
  expect(["ToUserName", "MsgType", "Content", "MsgId", "AgentName"].map((name) => childText(root, name))).toEqual([
    "oABC",
    "text",
    "你好 & ]]>",
    "m1",
    "Lily",
  ]);
  for (const { path, query } of pushes) {
    expect(path).toBe("/desk/shop/token");
    expect(Object.fromEntries(query)).toEqual(signed);
  }
});

test("a push whose answer is a refusal, or none at all, is a result", async () => {
  await connectPush({ status: 401, headers: {}, body: "no" });
  expect(await desk.pushRaw({ contentType: "text/plain", body: "?", query: { sign: "WRONG" } })).toMatchObject({
    status: 401,
    body: "no",
    ack: null,
  });
  desk.connectPush("http://127.0.0.1:1/desk/shop/token");
  expect(await desk.pushImage("oABC", "media-1")).toMatchObject({ status: null, error: expect.any(String) });
});

test("waiting for a message ends when it comes; a dropped request shows nothing", async () => {
  const waiting = desk.waitForReceived("oABC", ({ text }) => text === "second");
  await submit(messageXml({ Content: "first" }));
  desk.misbehave({ kind: "drop-before", times: 1 });
  await expect(submit(messageXml({ Content: "dropped" }))).rejects.toThrow();
  desk.misbehave({ kind: "drop-after", times: 1 });
  await expect(submit(messageXml({ Content: "second" }))).rejects.toThrow();
  expect((await waiting).map(({ text }) => text)).toEqual(["first", "second"]);
  expect(desk.calls("/spa1/im_callback")).toBe(3);
});
