import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHttpClient } from "../../../src/base/http-client.ts";
import { createOfficialAccount } from "../../../src/channels/official-account/index.ts";
import { createMediaFetcher } from "../../../src/media/fetcher.ts";
import { createAccessTokens } from "../../../src/platform/access-tokens.ts";
import { current, ENCODING_AES_KEY, NOW, TOKEN } from "../conformance.ts";
import { type Platform, startPlatform } from "../platform.ts";
import { createTokenStore } from "../token-store.ts";

const TYPING = "/cgi-bin/message/custom/typing";
const CHECK = "/cgi-bin/callback/check";
const http = createHttpClient();
let platform: Platform;

beforeEach(async () => {
  platform = await startPlatform();
  platform.on("/cgi-bin/stable_token", () => ({ json: { access_token: "access-token", expires_in: 7200 } }));
});
afterEach(() => platform.close());
afterAll(() => http.close());

function account(given: { appId?: string; encodingAesKey?: string | undefined } = {}) {
  const { appId, encodingAesKey } = { appId: "wxabb8e5e80f591861", encodingAesKey: ENCODING_AES_KEY, ...given };
  const tokens = createAccessTokens({ store: createTokenStore(() => NOW), now: () => NOW });
  const wechat = { appId, encryption: "plain", apiBaseUrl: platform.url, timestampToleranceSeconds: 600 } as const;
  return createOfficialAccount({
    account: { id: "shop", version: 1, wechat },
    credentials: { token: current(TOKEN), encodingAesKey: current(encodingAesKey) },
    secrets: { platformSecret: "secret" },
    http,
    tokens,
    media: createMediaFetcher([]),
    now: () => NOW,
  });
}

const signal = new AbortController().signal;

describe("the question whether the account may send", () => {
  test("asks for a typing hint to nobody", async () => {
    platform.on(TYPING, () => ({ json: { errcode: 40003, errmsg: "invalid openid" } }));
    expect(await account().testPermission(signal)).toEqual({ ok: true, sentence: "the account may send customer-service messages" });
    expect(JSON.parse(platform.requests(TYPING)[0]?.body ?? "")).toEqual({ touser: "0", command: "CancelTyping" });
  });

  test.each([0, 45015, 45047, 45080, 45081])("errcode %i speaks of the receiver or the moment: it was let in", async (errcode) => {
    platform.on(TYPING, () => ({ json: { errcode } }));
    expect(await account().testPermission(signal)).toMatchObject({ ok: true });
  });

  test.each([48001, 48004, 50002, 40164])("errcode %i is a no", async (errcode) => {
    platform.on(TYPING, () => ({ json: { errcode, errmsg: "" } }));
    expect(await account().testPermission(signal)).toMatchObject({ ok: false, code: String(errcode), remedy: expect.any(String) });
  });

  test("an errcode that nobody knows is no failure, but advice to try", async () => {
    platform.on(TYPING, () => ({ json: { errcode: 12345 } }));
    expect(await account().testPermission(signal)).toMatchObject({
      ok: true,
      code: "12345",
      remedy: expect.stringContaining("test contact"),
    });
  });
});

// The answer of developers.weixin.qq.com/doc/service/Basic_Information/Network_Detection.html.
const PATHS = {
  dns: [
    { ip: "111.161.64.40", real_operator: "UNICOM" },
    { ip: "111.161.64.48", real_operator: "UNICOM" },
  ],
  ping: [
    { ip: "111.161.64.40", from_operator: "UNICOM", package_loss: "0%", time: "23.079ms" },
    { ip: "111.161.64.48", from_operator: "UNICOM", package_loss: "0%", time: "21.434ms" },
  ],
};

describe("WeChat's own look at the server address", () => {
  const reach = async (json: object) => {
    platform.on(CHECK, () => ({ json }));
    return account().testReach(signal);
  };

  test("tells the addresses that it found", async () => {
    const sentence = "WeChat resolves the callback's host name to 111.161.64.40, 111.161.64.48";
    expect(await reach(PATHS)).toEqual({ ok: true, sentence });
    expect(JSON.parse(platform.requests(CHECK)[0]?.body ?? "")).toEqual({ action: "all", check_operator: "DEFAULT" });
  });

  test("names the address that no ping came back from, as advice", async () => {
    const [first, second] = PATHS.ping;
    const check = await reach({ ...PATHS, ping: [first, { ...second, package_loss: "100%" }] });
    expect(check).toMatchObject({
      ok: true,
      sentence: expect.stringMatching(/no ping came back from 111\.161\.64\.48$/),
      remedy: expect.any(String),
    });
  });

  test("that finds no address is a failure, and so is no server address at all", async () => {
    expect(await reach({ dns: [], ping: [] })).toMatchObject({ ok: false, remedy: expect.stringContaining("DNS") });
    expect(await reach({ errcode: 40201, errmsg: "invalid url" })).toMatchObject({
      ok: false,
      remedy: expect.stringContaining("callbackUrl"),
    });
  });

  test("that WeChat does not give proves nothing", async () => {
    expect(await reach({ errcode: 48001, errmsg: "api unauthorized" })).toEqual({
      ok: true,
      sentence: "not checked: WeChat answered errcode 48001",
      code: "48001",
    });
    expect(await reach({ dns: "?" })).toMatchObject({ ok: true, sentence: expect.stringContaining("not checked") });
  });
});

describe("the look at the keys", () => {
  test("tells a gh_ name from an AppID, and doubts what looks like neither", () => {
    expect(account({ appId: "gh_0123456789ab" }).testKeys()).toMatchObject({
      ok: false,
      sentence: "gh_0123456789ab is the account's name, not its AppID",
    });
    expect(account({ appId: "wx0123" }).testKeys()).toMatchObject({ ok: true, remedy: expect.stringContaining("AppID") });
  });

  test("has nothing to remark on a key whose spare bits are set: WeChat takes it, and so does the gateway", () => {
    const key = `${ENCODING_AES_KEY.slice(0, -1)}7`;
    expect(account({ encodingAesKey: key }).testKeys()).toEqual({ ok: true, sentence: "appId, token and EncodingAESKey are well formed" });
  });

  test("needs no key in plain mode", () => {
    expect(account({ encodingAesKey: undefined }).testKeys()).toEqual({
      ok: true,
      sentence: expect.stringContaining("plain mode needs no key"),
    });
  });
});
