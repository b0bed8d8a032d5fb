import { afterEach, beforeEach, expect, test } from "vitest";
import { type EmulatedAccount, startWechat, type WechatEmulator } from "../../src/emulators/wechat.ts";
import { OFFICIAL_ACCOUNT, startStubGateway, WECOM } from "./stub-gateway.ts";

const MINUTE_MS = 60_000;

let wechat: WechatEmulator;
let shop: EmulatedAccount;
let app: EmulatedAccount;
let clockMs: number;
let close: () => Promise<void>;

beforeEach(async () => {
  clockMs = Date.parse("2026-01-31T02:03:04Z");
  const gateway = await startStubGateway(OFFICIAL_ACCOUNT);
  wechat = await startWechat({ now: () => new Date(clockMs) });
  shop = wechat.addAccount({ ...OFFICIAL_ACCOUNT, callbackUrl: gateway.url });
  app = wechat.addAccount({ ...WECOM, callbackUrl: gateway.url });
  close = async () => {
    await wechat.close();
    await gateway.close();
  };
});
afterEach(() => close());

async function get(path: string, query: Record<string, string>) {
  return toObject(await fetch(`${wechat.url}${path}?${new URLSearchParams(query)}`));
}

async function post(path: string, accessToken: string | undefined, body: unknown) {
  const query = accessToken === undefined ? "" : `?access_token=${accessToken}`;
  return toObject(await fetch(wechat.url + path + query, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) }));
}

async function toObject(response: Response): Promise<Record<string, unknown>> {
  expect(response.status).toBe(200);
  return Object(await response.json());
}

const CREDENTIALS = { grant_type: "client_credential", appid: OFFICIAL_ACCOUNT.appId, secret: OFFICIAL_ACCOUNT.appSecret };
const stableToken = async (fields = {}) => post("/cgi-bin/stable_token", undefined, { ...CREDENTIALS, ...fields });
const shopToken = async () => String((await stableToken()).access_token);
const appToken = async () => String((await get("/cgi-bin/gettoken", { corpid: WECOM.corpId, corpsecret: WECOM.corpSecret })).access_token);
const sendText = async (openId: string, content: string, token?: string) =>
  post("/cgi-bin/message/custom/send", token ?? (await shopToken()), { touser: openId, msgtype: "text", text: { content } });

test("stable_token gives the same token until shortly before its end, or until it is forced", async () => {
  const first = await stableToken();
  expect(first).toMatchObject({ expires_in: 7200 });
  clockMs += 100 * MINUTE_MS;
  expect(await stableToken()).toEqual({ access_token: first.access_token, expires_in: 1200 });
  clockMs += 16 * MINUTE_MS;
  const renewed = await stableToken();
  expect(renewed.access_token).not.toBe(first.access_token);
  expect((await stableToken({ force_refresh: true })).access_token).not.toBe(renewed.access_token);
  expect(await sendText("oABC", "hi", String(renewed.access_token))).toMatchObject({ errcode: 40001 });
});

test("/token gives a new token each time, and the one before lives five minutes more", async () => {
  await shop.sendText("oABC", "hello");
  const old = String((await get("/cgi-bin/token", CREDENTIALS)).access_token);
  await get("/cgi-bin/token", CREDENTIALS);
  clockMs += 4 * MINUTE_MS;
  expect(await sendText("oABC", "still", old)).toMatchObject({ errcode: 0 });
  clockMs += 2 * MINUTE_MS;
  expect(await sendText("oABC", "too late", old)).toMatchObject({ errcode: 42001 });
});

test("credentials are refused with the platform's codes", async () => {
  expect(await stableToken({ secret: "wrong" })).toMatchObject({ errcode: 40125 });
  expect(await stableToken({ appid: "wxunknown" })).toMatchObject({ errcode: 40013 });
  expect(await get("/cgi-bin/gettoken", { corpid: WECOM.corpId, corpsecret: "wrong" })).toMatchObject({ errcode: 40001 });
  expect(await get("/cgi-bin/gettoken", { corpid: WECOM.corpId, corpsecret: WECOM.corpSecret })).toMatchObject({
    errcode: 0,
    expires_in: 7200,
  });
});

test("a call needs a token that is known, current and of the right platform", async () => {
  await shop.sendText("oABC", "hello");
  const token = await shopToken();
  expect(await post("/cgi-bin/message/custom/send", undefined, {})).toMatchObject({ errcode: 41001 });
  expect(await sendText("oABC", "hi", "made-up")).toMatchObject({ errcode: 40001 });
  expect(await sendText("oABC", "hi", await appToken())).toMatchObject({ errcode: 40001 });
  expect(await post("/cgi-bin/message/send", token, {})).toMatchObject({ errcode: 40014 });
  wechat.expireTokens();
  expect(await sendText("oABC", "hi", token)).toMatchObject({ errcode: 42001 });
  expect(await sendText("oABC", "hi")).toMatchObject({ errcode: 0 });
  expect(wechat.seenBy(shop, "oABC")).toMatchObject([{ way: "async", type: "text", text: "hi" }]);
});

test.each([
  ["no JSON", "{", 47001],
  ["nothing", "", 44004],
  ["a \\u escape", '{"touser":"oABC","msgtype":"text","text":{"content":"\\u4f60"}}', 40033],
  ["an unknown type", { touser: "oABC", msgtype: "hologram", hologram: {} }, 40008],
  ["a text without content", { touser: "oABC", msgtype: "text", text: { content: "" } }, 44004],
  ["a text of 2049 bytes", { touser: "oABC", msgtype: "text", text: { content: "x".repeat(2049) } }, 45002],
  ["a made-up media id", { touser: "oABC", msgtype: "image", image: { media_id: "made-up" } }, 40007],
  ["two articles", { touser: "oABC", msgtype: "news", news: { articles: [{ title: "a" }, { title: "b" }] } }, 45008],
  ["a stranger", { touser: "oXYZ", msgtype: "text", text: { content: "hi" } }, 40003],
])("a send with %s is refused, the next good one is seen", async (_what, body, errcode) => {
  await shop.sendText("oABC", "hello");
  expect(await post("/cgi-bin/message/custom/send", await shopToken(), body)).toMatchObject({ errcode });
  // A backslash that the customer typed is no escape, however it looks.
  expect(await sendText("oABC", "\\u4f60")).toMatchObject({ errcode: 0 });
  expect(shop.seenBy("oABC").map(({ text }) => text)).toEqual(["\\u4f60"]);
});

test("a message opens five sends for 48 hours, a menu click three for a minute, and more of the same adds nothing up", async () => {
  const codes = async (count: number) => {
    const answers: unknown[] = [];
    for (let sent = 0; sent < count; sent += 1) answers.push((await sendText("oABC", `${sent}`)).errcode);
    return answers;
  };
  await shop.sendText("oABC", "hello");
  await shop.sendText("oABC", "hello?");
  expect(await codes(6)).toEqual([0, 0, 0, 0, 0, 45047]);
  await shop.sendText("oABC", "hello!");
  clockMs += 49 * 60 * MINUTE_MS;
  expect(await codes(1)).toEqual([45015]);
  await shop.sendEvent("oABC", "CLICK", "menu");
  expect(await codes(4)).toEqual([0, 0, 0, 45047]);
  shop.limitsSends = false;
  expect(await codes(1)).toEqual([0]);
});

test("an account that may not send gets 48001, a customer who left 43004", async () => {
  await shop.sendText("oABC", "hello");
  shop.maySend = false;
  expect(await sendText("oABC", "hi")).toMatchObject({ errcode: 48001 });
  shop.maySend = true;
  await shop.sendEvent("oABC", "unsubscribe");
  expect(await sendText("oABC", "hi")).toMatchObject({ errcode: 43004 });
  await shop.sendEvent("oABC", "subscribe");
  expect(await sendText("oABC", "hi")).toMatchObject({ errcode: 0 });
});

test("WeCom names members it could not reach, in lower case, and wants the agent id as an integer", async () => {
  const send = async (touser: string, fields = {}) =>
    post("/cgi-bin/message/send", await appToken(), {
      touser,
      agentid: WECOM.agentId,
      msgtype: "text",
      text: { content: "hi" },
      ...fields,
    });
  app.followers.add("ZhangSan");
  app.followers.add("Gone");
  app.followers.leave("Gone");
  expect(await send("ZhangSan", { agentid: String(WECOM.agentId) })).toMatchObject({ errcode: 40056 });
  expect(await send("ZhangSan|LiSi")).toMatchObject({ errcode: 0, invaliduser: "lisi" });
  expect(await send("Gone")).toMatchObject({ errcode: 0, invaliduser: "gone" });
  expect(await send("LiSi")).toMatchObject({ errcode: 81013, invaliduser: "lisi" });
  expect(app.seenBy("ZhangSan")).toMatchObject([{ way: "async", text: "hi" }]);
});

test("WeCom shows a repeated call once when asked to check for duplicates", async () => {
  app.followers.add("ZhangSan");
  const token = await appToken();
  const body = { touser: "ZhangSan", agentid: WECOM.agentId, msgtype: "text", text: { content: "hi" }, enable_duplicate_check: 1 };
  await post("/cgi-bin/message/send", token, body);
  expect(await post("/cgi-bin/message/send", token, body)).toMatchObject({ errcode: 0 });
  expect(app.seenBy("ZhangSan")).toHaveLength(1);
  clockMs += 31 * MINUTE_MS;
  await post("/cgi-bin/message/send", token, body);
  expect(app.seenBy("ZhangSan")).toHaveLength(2);
});

test("uploaded bytes come back under their media id, and only to the account that has it", async () => {
  const token = await shopToken();
  const form = new FormData();
  form.append("media", new Blob(["GIF89a, a picture"], { type: "image/gif" }), "cat.gif");
  const uploaded = await toObject(
    await fetch(`${wechat.url}/cgi-bin/media/upload?type=image&access_token=${token}`, { method: "POST", body: form }),
  );
  expect(uploaded).toMatchObject({ type: "image", created_at: clockMs / 1000 });
  const address = `${wechat.url}/cgi-bin/media/get?media_id=${uploaded.media_id}&access_token=`;
  const fetched = await fetch(address + token);
  expect([fetched.headers.get("content-disposition"), await fetched.text()]).toEqual([
    'attachment; filename="cat.gif"',
    "GIF89a, a picture",
  ]);
  const refused = await fetch(address + (await appToken()));
  expect([refused.headers.get("content-type"), await refused.json()]).toEqual(["text/plain", expect.objectContaining({ errcode: 40007 })]);
});

test("an upload is judged by its first bytes, and WeCom takes fewer forms", async () => {
  const [shopUpload, appUpload] = [await shopToken(), await appToken()].map((token) => async (type: string, start: string) => {
    const form = new FormData();
    form.append("media", new Blob([Buffer.from(start, "latin1"), "and more"]), "picture.png");
    return toObject(await fetch(`${wechat.url}/cgi-bin/media/upload?type=${type}&access_token=${token}`, { method: "POST", body: form }));
  });
  expect(await shopUpload?.("image", "<html>")).toMatchObject({ errcode: 40005 });
  for (const [type, start] of [
    ["image", "GIF89a"],
    ["voice", "ID3"],
  ] as const) {
    expect(await appUpload?.(type, start)).toMatchObject({ errcode: 40005 });
    expect(await shopUpload?.(type, start)).toMatchObject({ media_id: expect.any(String) });
  }
});

test("misbehaviour spoils the calls it names, as often as it says", async () => {
  const path = "/cgi-bin/message/custom/send";
  await shop.sendText("oABC", "hello");
  const token = await shopToken();
  wechat.misbehave({ path, kind: "errcode", errcode: -1, errmsg: "system error", times: 1 });
  expect(await sendText("oABC", "1", token)).toEqual({ errcode: -1, errmsg: "system error" });
  wechat.misbehave({ path: /custom/, kind: "drop-before", times: 1 });
  await expect(sendText("oABC", "2", token)).rejects.toThrow();
  expect(shop.seenBy("oABC")).toEqual([]);
  wechat.misbehave({ path, kind: "drop-after", times: 1 });
  await expect(sendText("oABC", "3", token)).rejects.toThrow();
  wechat.misbehave({ path, kind: "late", ms: 5, times: 1 });
  expect(await sendText("oABC", "4", token)).toMatchObject({ errcode: 0 });
  const stop = wechat.misbehave({ kind: "status", status: 503, headers: { "retry-after": "7" } });
  const spoilt = await fetch(`${wechat.url}${path}`, { method: "POST" });
  expect([spoilt.status, spoilt.headers.get("retry-after")]).toEqual([503, "7"]);
  stop();
  expect(await sendText("oABC", "5", token)).toMatchObject({ errcode: 0 });
  expect(shop.seenBy("oABC").map(({ text }) => text)).toEqual(["3", "4", "5"]);
  expect(wechat.calls(path)).toBe(6);
});

test("waiting ends with what was seen, and says what is there when it ends in vain", async () => {
  await shop.sendText("oABC", "hello");
  const waiting = wechat.waitForSeen("oABC", ({ text }) => text === "second");
  await sendText("oABC", "first");
  await sendText("oABC", "second");
  expect((await waiting).map(({ text }) => text)).toEqual(["first", "second"]);
  expect(await wechat.waitForSeen("oABC", 2)).toHaveLength(2);
  await expect(wechat.waitForSeen("oABC", 3, 10)).rejects.toThrow(/waited 10 ms for 3 of them, there are 2\n {2}1\. async text "first"/);
});

test("a typing hint needs the permission to send and an openid that there is, and shows nothing", async () => {
  await shop.sendText("oABC", "hello");
  const hint = async (fields: object) => post("/cgi-bin/message/custom/typing", await shopToken(), fields);
  expect(await hint({ touser: "oABC", command: "Typing" })).toMatchObject({ errcode: 0 });
  expect(await hint({ touser: "0", command: "CancelTyping" })).toMatchObject({ errcode: 40003 });
  expect(await hint({ touser: "oABC", command: "Shout" })).toMatchObject({ errcode: 45072 });
  shop.maySend = false;
  expect(await hint({ touser: "0", command: "CancelTyping" })).toMatchObject({ errcode: 48001 });
  expect(shop.seenBy("oABC").filter(({ way }) => way === "async")).toEqual([]);
});

test("WeChat's look at the callback address tells its addresses, or that there is none", async () => {
  const look = async () => post("/cgi-bin/callback/check", await shopToken(), { action: "all", check_operator: "DEFAULT" });
  expect(await look()).toMatchObject({ dns: [{ ip: "127.0.0.1" }], ping: [{ ip: "127.0.0.1", package_loss: "0%" }] });
  shop.callbackUrl = "";
  expect(await look()).toMatchObject({ errcode: 40201 });
});

test("an app may look at itself, not at another, nor at one that there is not", async () => {
  wechat.addAccount({ ...WECOM, agentId: 77, corpSecret: "secret-of-77", callbackUrl: shop.callbackUrl });
  const look = async (agentid: string) => get("/cgi-bin/agent/get", { access_token: await appToken(), agentid });
  expect(await look(String(WECOM.agentId))).toMatchObject({ errcode: 0, agentid: WECOM.agentId, close: 0 });
  expect(await look("77")).toMatchObject({ errcode: 301002 });
  expect(await look("78")).toMatchObject({ errcode: 40056 });
});

test("every answer carries the emulated platform's clock", async () => {
  clockMs += 10 * MINUTE_MS;
  const { headers } = await fetch(`${wechat.url}/cgi-bin/token`);
  expect(Date.parse(headers.get("date") ?? "")).toBe(Math.floor(clockMs / 1_000) * 1_000);
});
