import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { createHttpClient } from "../../../src/base/http-client.ts";
import type { Content } from "../../../src/domain/content.ts";
import { news, PLATFORM_SECRET } from "../conformance.ts";
import { type Platform, startPlatform } from "../platform.ts";
import { AGENT_ID, CORP_ID, createApp } from "./app.ts";

const SEND = "/cgi-bin/message/send";
const TOKEN_PATH = "/cgi-bin/gettoken";
const http = createHttpClient();
let platform: Platform;

beforeEach(async () => {
  platform = await startPlatform();
  platform.on(TOKEN_PATH, () => ({ json: { errcode: 0, errmsg: "ok", access_token: "access-token-1", expires_in: 7200 } }));
  platform.on(SEND, () => ({ json: { errcode: 0, errmsg: "ok", msgid: "xxxx" } }));
});
afterEach(() => platform.close());
afterAll(() => http.close());

function send(content: Content, userId = "ZhangSan") {
  return createApp({ http, apiBaseUrl: platform.url }).send(userId, content, new AbortController().signal);
}

const article = { title: "标题", description: "more", url: "https://example.com/1", picurl: "https://example.com/1.png" };

test.each<[string, Content, Record<string, unknown>]>([
  ["a text", { type: "text", text: "hello" }, { msgtype: "text", text: { content: "hello" } }],
  ["an image", { type: "image", mediaId: "m1" }, { msgtype: "image", image: { media_id: "m1" } }],
  ["a voice", { type: "voice", mediaId: "m1" }, { msgtype: "voice", voice: { media_id: "m1" } }],
  [
    "a video",
    { type: "video", mediaId: "m1", title: "T", description: "D" },
    { msgtype: "video", video: { media_id: "m1", title: "T", description: "D" } },
  ],
  ["a file", { type: "file", mediaId: "m1", title: "price list" }, { msgtype: "file", file: { media_id: "m1" } }],
  ["eight articles", news(8), { msgtype: "news", news: { articles: Array(8).fill(article) } }],
  [
    "a link as one article",
    { type: "link", title: "T", description: "D", url: "https://example.com" },
    { msgtype: "news", news: { articles: [{ title: "T", description: "D", url: "https://example.com" }] } },
  ],
  [
    "nine articles, of which a message takes eight, as lines",
    news(9),
    { msgtype: "text", text: { content: Array(9).fill("[news] 标题 https://example.com/1").join("\n") } },
  ],
  [
    "a file known by its address only, as a line",
    { type: "file", title: "price list", url: "https://example.com/p.pdf" },
    { msgtype: "text", text: { content: "[file] price list https://example.com/p.pdf" } },
  ],
])("%s is sent in WeCom's form", async (_name, content, message) => {
  expect(await send(content)).toEqual({ kind: "done" });
  expect(JSON.parse(platform.requests(SEND)[0]?.body ?? "")).toEqual({ touser: "ZhangSan", agentid: AGENT_ID, ...message });
});

test.each([
  ["invaliduser", { invaliduser: "zhangsan" }],
  ["invaliduser", { invaliduser: "lisi|zhangsan" }],
  ["unlicenseduser", { unlicenseduser: "zhangsan", invaliduser: "" }],
  ["invaliduser", { invaliduser: "zhangsan", unlicenseduser: null }],
  ["unlicenseduser", { invaliduser: [], unlicenseduser: "zhangsan" }],
])("a success that leaves the member out is a refusal: %s", async (code, fields) => {
  platform.on(SEND, () => ({ json: { errcode: 0, errmsg: "ok", ...fields } }));
  expect(await send({ type: "text", text: "hello" })).toMatchObject({ kind: "rejected", code });
});

test("a success that leaves somebody else out is one", async () => {
  platform.on(SEND, () => ({ json: { errcode: 0, errmsg: "ok", invaliduser: "zhangsanfeng|lisi" } }));
  expect(await send({ type: "text", text: "hello" })).toEqual({ kind: "done" });
});

test.each(["@all", "@ALL", "a|b", ""])("a reply to %o, which is not one member, never leaves", async (userId) => {
  expect(await send({ type: "text", text: "hello" }, userId)).toMatchObject({ kind: "rejected", code: "RECEIVER_INVALID" });
  expect(await send({ type: "text", text: "hello" })).toEqual({ kind: "done" });
  expect(platform.requests(SEND)).toHaveLength(1);
});

test("a text that WeCom would cut off without a word is refused here", async () => {
  expect(await send({ type: "text", text: "字".repeat(682) })).toEqual({ kind: "done" });
  expect(await send({ type: "text", text: "字".repeat(683) })).toMatchObject({ kind: "rejected", code: "45002" });
  expect(platform.requests(SEND)).toHaveLength(1);
});

test("the token is asked for with corp id and secret", async () => {
  await send({ type: "text", text: "hello" });
  const [request] = platform.requests(TOKEN_PATH);
  expect(request?.method).toBe("GET");
  expect(Object.fromEntries(request?.query ?? [])).toEqual({ corpid: CORP_ID, corpsecret: PLATFORM_SECRET });
});

test("40001 on sending is the wrong secret, so no new token is asked for", async () => {
  platform.on(SEND, () => ({ json: { errcode: 40001, errmsg: "invalid credential" } }));
  expect(await send({ type: "text", text: "hello" })).toMatchObject({ kind: "retry", code: "40001" });
  expect(platform.requests(TOKEN_PATH)).toHaveLength(1);
  expect(platform.requests(SEND)).toHaveLength(1);
});

test("an app without a corpSecret sends nothing, and says what to set", async () => {
  const app = createApp({ http, apiBaseUrl: platform.url, platformSecret: undefined });
  const outcome = await app.send("ZhangSan", { type: "text", text: "hello" }, new AbortController().signal);
  expect(outcome).toMatchObject({ kind: "retry", code: "ACCOUNT_SECRET_MISSING", detail: expect.stringContaining("corpSecret") });
  expect(await send({ type: "text", text: "hello" })).toEqual({ kind: "done" });
  expect(platform.requests(SEND)).toHaveLength(1);
});
