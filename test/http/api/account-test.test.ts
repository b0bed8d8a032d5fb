import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shownChecks } from "../../../src/http/api/schemas/account-test.ts";
import { DESK_KEY, type OpenGateway, openGateway } from "../../support/gateway.ts";

let gateway: OpenGateway;

beforeAll(async () => {
  gateway = await openGateway();
  await gateway.connect("official_account");
  await gateway.connect("wecom");
});
afterAll(() => gateway.close());

async function checksOf(id: string) {
  const { status, body } = await gateway.api("POST", `/accounts/${id}/test`);
  expect(status).toBe(200);
  return new Map(shownChecks.parse(body).checks.map((check) => [check.name, check]));
}

test("an Official Account that works is told so by every check, in a fixed order, and no customer notices", async () => {
  const checks = await checksOf("shop");
  expect([...checks.keys()]).toEqual(["desk", "accessToken", "permissionToSend", "keyShapes", "clock", "publicUrl", "reachableByWechat"]);
  expect([...checks.values()].filter(({ ok }) => !ok)).toEqual([]);
  expect(checks.get("permissionToSend")).toMatchObject({
    sentence: "the account may send customer-service messages",
    remedy: null,
    why: null,
  });
  expect(checks.get("reachableByWechat")?.sentence).toContain("127.0.0.1");
  expect(gateway.wechat.calls("/cgi-bin/message/custom/send")).toBe(0);
});

test("WeCom has no look from outside, and is asked for the app instead of a typing hint", async () => {
  const checks = await checksOf("company");
  expect([...checks.keys()]).toEqual(["desk", "accessToken", "permissionToSend", "keyShapes", "clock", "publicUrl"]);
  expect(checks.get("permissionToSend")).toMatchObject({
    ok: true,
    sentence: expect.stringContaining("app 1000002 belongs to the corpSecret"),
  });
});

test("what fails says what is wrong, why it matters and what to do, and the other checks are made all the same", async () => {
  const repaired = [
    gateway.desk.misbehave({ kind: "drop-before" }),
    gateway.wechat.misbehave({ kind: "errcode", path: "/cgi-bin/stable_token", errcode: 40125, errmsg: "invalid appsecret" }),
  ];
  const checks = await checksOf("shop");
  for (const name of ["desk", "accessToken"] as const) {
    expect(checks.get(name)).toMatchObject({ ok: false, why: expect.any(String), remedy: expect.any(String), code: expect.any(String) });
  }
  expect(checks.get("permissionToSend")).toMatchObject({ ok: false, sentence: "not checked: there is no access token to ask with" });
  expect(checks.get("keyShapes")).toMatchObject({ ok: true });
  for (const repair of repaired) repair();
  expect([...(await checksOf("shop")).values()].filter(({ ok }) => !ok)).toEqual([]);
});

describe("before the values are entered in WeChat's console", () => {
  test("a check says what comes next instead of failing; once a customer has written it is a fault", async () => {
    const account = await gateway.connect("official_account", { id: "fresh", wechat: { appId: "wx00000000000000cc" } });
    const { callbackUrl } = account.wechat;
    account.wechat.callbackUrl = "";
    const before = await checksOf("fresh");
    expect(before.get("reachableByWechat")).toMatchObject({
      ok: true,
      pending: true,
      code: "40201",
      remedy: "enter the account's callbackUrl in WeChat's console",
    });
    expect([...before.values()].filter(({ ok }) => !ok)).toEqual([]);

    account.wechat.callbackUrl = callbackUrl;
    await account.wechat.sendText("oA", "hello");
    account.wechat.callbackUrl = "";
    expect((await checksOf("fresh")).get("reachableByWechat")).toMatchObject({ ok: false, pending: false, code: "40201" });
  });

  test.each([
    ["official_account", "/cgi-bin/stable_token", 40164, "accessToken", { appId: "wx00000000000000c1" }],
    ["wecom", "/cgi-bin/agent/get", 60020, "permissionToSend", { agentId: 1_000_031, corpSecret: "secret-of-31" }],
  ] as const)("so is an address of the gateway that %s does not trust yet", async (kind, path, errcode, name, wechat) => {
    await gateway.connect(kind, { id: `trust-${errcode}`, wechat });
    const repair = gateway.wechat.misbehave({ kind: "errcode", path, errcode, errmsg: "invalid ip 203.0.113.7, from ip: 203.0.113.7" });
    const checks = await checksOf(`trust-${errcode}`);
    repair();
    expect(checks.get(name)).toMatchObject({ ok: true, pending: true, remedy: expect.stringContaining("203.0.113.7") });
    expect([...checks.values()].filter(({ ok }) => !ok)).toEqual([]);
  });

  test("what is wrong for another reason fails also then", async () => {
    await gateway.connect("official_account", {
      id: "wrong",
      wechat: { appId: "wx00000000000000c2", appSecret: "another" },
      desk: { key: "x" },
    });
    expect((await checksOf("wrong")).get("desk")).toMatchObject({ ok: false, pending: false });
  });
});

describe("an account that only answers while a callback is open", () => {
  test("needs neither secret nor permission", async () => {
    const document = {
      id: "passive",
      name: "Passive",
      kind: "official_account",
      wechat: { appId: "wx00000000000000aa", apiBaseUrl: gateway.wechat.url },
      desk: { protocol: "udesk-message-interface", url: gateway.desk.url, key: DESK_KEY },
      replies: { async: false },
    };
    expect((await gateway.api("POST", "/accounts", document)).status).toBe(201);
    const checks = await checksOf("passive");
    for (const name of ["accessToken", "permissionToSend"] as const) {
      expect(checks.get(name)).toMatchObject({ ok: true, sentence: expect.stringContaining("replies.async is false") });
    }
    expect(checks.get("reachableByWechat")).toMatchObject({ ok: true, sentence: expect.stringContaining("not checked") });
  });

  test("is not asked for a permission that WeChat would deny", async () => {
    const account = await gateway.connect("official_account", {
      id: "unverified",
      wechat: { appId: "wx00000000000000bb" },
      replies: { async: false },
    });
    account.wechat.maySend = false;
    expect((await checksOf("unverified")).get("permissionToSend")).toMatchObject({ ok: true });
  });
});

test("a disabled account says how to enable it, an absent one that it is not there", async () => {
  await gateway.api("POST", "/accounts/company/disable");
  const disabled = await gateway.api("POST", "/accounts/company/test");
  expect(disabled).toMatchObject({
    status: 409,
    body: { code: "ACCOUNT_DISABLED", detail: expect.stringContaining("/accounts/company/enable") },
  });
  expect(await gateway.api("POST", "/accounts/absent/test")).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
});

test("no check holds a secret", async () => {
  const { body } = await gateway.api("POST", "/accounts/shop/test");
  expect(JSON.stringify(body)).not.toMatch(/app-secret|tok3nForTests|0123456789abcdef0123456789abcdef|access_token/);
});
