import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHttpClient } from "../../../src/base/http-client.ts";
import type { Content } from "../../../src/domain/content.ts";
import { news, PLATFORM_SECRET } from "../conformance.ts";
import { type Platform, startPlatform } from "../platform.ts";
import { APP_ID, createAccount } from "./account.ts";

const SEND = "/cgi-bin/message/custom/send";
const TOKEN_PATH = "/cgi-bin/stable_token";
const http = createHttpClient();
let platform: Platform;

beforeEach(async () => {
  platform = await startPlatform();
  platform.on(TOKEN_PATH, (_request, count) => ({ json: { access_token: `access-token-${count}`, expires_in: 7200 } }));
  platform.on(SEND, () => ({ json: { errcode: 0, errmsg: "ok" } }));
});
afterEach(() => platform.close());
afterAll(() => http.close());

function send(content: Content) {
  return createAccount({ http, apiBaseUrl: platform.url }).send("customer", content, new AbortController().signal);
}

const article = { title: "标题", description: "more", url: "https://example.com/1", picurl: "https://example.com/1.png" };

test.each<[string, Content, Record<string, unknown>]>([
  ["a text", { type: "text", text: "hello" }, { msgtype: "text", text: { content: "hello" } }],
  ["an image", { type: "image", mediaId: "m1" }, { msgtype: "image", image: { media_id: "m1" } }],
  ["a voice", { type: "voice", mediaId: "m1" }, { msgtype: "voice", voice: { media_id: "m1" } }],
  [
    "a video",
    { type: "video", mediaId: "m1", thumbMediaId: "t1", title: "T", description: "D" },
    { msgtype: "video", video: { media_id: "m1", thumb_media_id: "t1", title: "T", description: "D" } },
  ],
  ["one article", news(1), { msgtype: "news", news: { articles: [article] } }],
  [
    "a link as one article",
    { type: "link", title: "T", description: "D", url: "https://example.com" },
    { msgtype: "news", news: { articles: [{ title: "T", description: "D", url: "https://example.com" }] } },
  ],
  [
    "several articles, of which a message takes one, as lines",
    news(2),
    { msgtype: "text", text: { content: "[news] 标题 https://example.com/1\n[news] 标题 https://example.com/1" } },
  ],
  [
    "an image known by its address only, as a line",
    { type: "image", url: "https://example.com/1.png" },
    { msgtype: "text", text: { content: "[image] https://example.com/1.png" } },
  ],
  [
    "a file, as a line",
    { type: "file", title: "price list", url: "https://example.com/p.pdf" },
    { msgtype: "text", text: { content: "[file] price list https://example.com/p.pdf" } },
  ],
  [
    "a place, as a line",
    { type: "location", latitude: "1.0", longitude: "2.0" },
    { msgtype: "text", text: { content: "[location] 1.0,2.0" } },
  ],
])("%s is sent in WeChat's form", async (_name, content, message) => {
  expect(await send(content)).toEqual({ kind: "done" });
  expect(JSON.parse(platform.requests(SEND)[0]?.body ?? "")).toEqual({ touser: "customer", ...message });
});

describe("the access token", () => {
  test("is the stable one, and forced only in place of a refused one", async () => {
    platform.on(SEND, (_request, count) => ({ json: count === 1 ? { errcode: 40001, errmsg: "invalid credential" } : { errcode: 0 } }));
    expect(await send({ type: "text", text: "hello" })).toEqual({ kind: "done" });
    const asked = { grant_type: "client_credential", appid: APP_ID, secret: PLATFORM_SECRET };
    expect(platform.requests(TOKEN_PATH).map(({ body }) => JSON.parse(body))).toEqual([
      { ...asked, force_refresh: false },
      { ...asked, force_refresh: true },
    ]);
  });

  test("is refused with 40001 when the secret is wrong, which is no reason to ask again", async () => {
    platform.on(TOKEN_PATH, () => ({ json: { errcode: 40001, errmsg: "invalid credential" } }));
    const outcome = await send({ type: "text", text: "hello" });
    expect(outcome).toMatchObject({ kind: "retry", code: "40001", detail: expect.stringContaining("appSecret is wrong") });
    expect(platform.requests(TOKEN_PATH)).toHaveLength(1);
  });

  test("is refused to an address that is not on the list, and the outcome names the address", async () => {
    platform.on(TOKEN_PATH, () => ({ json: { errcode: 40164, errmsg: "invalid ip 203.0.113.7, not in whitelist" } }));
    const outcome = await send({ type: "text", text: "hello" });
    expect(outcome).toMatchObject({
      kind: "retry",
      code: "40164",
      detail: expect.stringContaining("add 203.0.113.7 to the IP allow-list"),
    });
  });

  test("is asked for again after the pause that the platform's frequency limit wants", async () => {
    platform.on(TOKEN_PATH, () => ({ json: { errcode: 45011, errmsg: "api minute-quota reach limit" } }));
    expect(await send({ type: "text", text: "hello" })).toMatchObject({ kind: "retry", code: "45011", retryAfterMs: 60_000 });
  });
});

test("an account without an appSecret sends nothing, and says what to set", async () => {
  const account = createAccount({ http, apiBaseUrl: platform.url, platformSecret: undefined });
  const outcome = await account.send("customer", { type: "text", text: "hello" }, new AbortController().signal);
  expect(outcome).toMatchObject({ kind: "retry", code: "ACCOUNT_SECRET_MISSING", detail: expect.stringContaining("appSecret") });
  expect(await send({ type: "text", text: "hello" })).toEqual({ kind: "done" });
  expect(platform.requests(SEND)).toHaveLength(1);
});
