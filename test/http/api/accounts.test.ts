import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createdAccount, shownAccount } from "../../../src/http/api/schemas/account.ts";
import { openTestStore, TESTER, type TestStore } from "../../support/store.ts";
import { type Call, callAs, createApi, SHOP } from "./app.ts";

const WECOM = {
  ...SHOP,
  id: "wecom-1",
  kind: "wecom",
  wechat: { corpId: "ww0123456789abcdef", corpSecret: "corp-secret-0123456789", agentId: 1000002 },
};

let testStore: TestStore;
let app: FastifyInstance;
let call: Call;
const forgotten: string[] = [];

beforeAll(async () => {
  testStore = await openTestStore();
  const connections = { get: async () => null, forget: (id: string) => void forgotten.push(id) };
  app = await createApi({ accounts: testStore.store.accounts, connections });
  call = callAs(app, "admin");
});

afterAll(async () => {
  await app.close();
  await testStore.close();
});

beforeEach(async () => {
  for (const { id } of await testStore.store.accounts.list()) await testStore.store.accounts.remove(id, TESTER);
  forgotten.length = 0;
});

describe("creating an account", () => {
  test("answers with the defaults, the addresses, and a mark for every secret", async () => {
    const answer = await call("POST", "/accounts", SHOP);
    expect(answer.statusCode).toBe(201);
    const account = createdAccount.parse(answer.json());
    const mark = { set: true, hint: expect.stringMatching(/^…/), changedAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) };
    expect(account).toMatchObject({
      id: "shop",
      name: "Shop service account",
      kind: "official_account",
      enabled: true,
      wechat: {
        appId: "wx0123456789abcdef",
        encryption: "safe",
        apiBaseUrl: "https://api.weixin.qq.com",
        timestampToleranceSeconds: 600,
        appSecret: mark,
        token: mark,
        encodingAesKey: mark,
      },
      desk: { timeoutMs: 4000, identity: "empty", requireSign: false, types: {}, key: mark, pushToken: mark },
      replies: { async: true, notices: "changes", passiveWaitMs: 4500 },
      callbackUrl: "https://gateway.example.com/wechat/shop",
    });
    expect(account.pushUrl).toMatch(/^https:\/\/gateway\.example\.com\/desk\/shop\/[A-Za-z0-9_-]{32}$/);
    expect(account.generated.token).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(account.generated.encodingAesKey).toMatch(/^[A-Za-z0-9]{43}$/);
    // Also for a strict decoder, which minds the two bits that a key of 43 characters has too many.
    const padded = `${account.generated.encodingAesKey}=`;
    expect(Buffer.from(padded, "base64").toString("base64")).toBe(padded);
  });

  test("stores exactly the secrets that were given, generated and put into the push address", async () => {
    const created = (await call("POST", "/accounts", SHOP)).json();
    const stored = await testStore.store.accounts.getWithSecrets("shop");
    expect(stored?.secrets).toEqual({
      ...created.generated,
      platformSecret: SHOP.wechat.appSecret,
      deskKey: SHOP.desk.key,
      pushToken: created.pushUrl.split("/").at(-1),
    });
  });

  test("generates only what was omitted and is needed", async () => {
    const given = { ...SHOP, wechat: { ...SHOP.wechat, token: "abc", encodingAesKey: "a".repeat(43) } };
    expect((await call("POST", "/accounts", given)).json()).toMatchObject({ generated: {} });
    const plain = { ...SHOP, id: "plain", wechat: { ...SHOP.wechat, appId: "wx00000000000000aa", encryption: "plain" } };
    expect((await call("POST", "/accounts", plain)).json()).toMatchObject({
      generated: { token: expect.any(String) },
      wechat: { encodingAesKey: { set: false, hint: null, changedAt: null } },
    });
  });

  test("of WeCom has WeCom's fields and defaults, and is always encrypted", async () => {
    const account = createdAccount.parse((await call("POST", "/accounts", WECOM)).json());
    expect(account).toMatchObject({ kind: "wecom", wechat: { apiBaseUrl: "https://qyapi.weixin.qq.com", corpSecret: { set: true } } });
    expect(account.generated).toEqual({ token: expect.any(String), encodingAesKey: expect.any(String) });
  });

  test("does without an app secret when it sends nothing asynchronously", async () => {
    const passive = { ...SHOP, wechat: { appId: "wx0123456789abcdef" }, replies: { async: false } };
    expect((await call("POST", "/accounts", passive)).json()).toMatchObject({ id: "shop", wechat: { appSecret: { set: false } } });
  });

  test("with an id that is taken is refused, and the first account stays as it was", async () => {
    const first = (await call("POST", "/accounts", SHOP)).json();
    const answer = await call("POST", "/accounts", { ...SHOP, name: "Another", desk: { ...SHOP.desk, key: "another-desk-key-42" } });
    expect(answer.json()).toMatchObject({ status: 409, code: "ACCOUNT_EXISTS" });
    expect(answer.body).not.toContain("another-desk-key-42");
    expect((await call("GET", "/accounts/shop")).json()).toMatchObject({ name: first.name, desk: { key: first.desk.key } });
  });
});

describe("a secret", () => {
  test("is in no later answer of any route, generated or given", async () => {
    await call("POST", "/accounts", SHOP);
    const stored = await testStore.store.accounts.getWithSecrets("shop");
    const secrets = Object.values(stored?.secrets ?? {});
    expect(secrets).toHaveLength(5);
    const answers = [
      await call("GET", "/accounts"),
      await call("GET", "/accounts/shop"),
      await call("PATCH", "/accounts/shop", { name: "Renamed" }),
      await call("POST", "/accounts/shop/disable"),
      await call("POST", "/accounts/shop/enable"),
      await call("POST", "/accounts", SHOP),
    ];
    for (const answer of answers) {
      for (const secret of secrets) expect(answer.body).not.toContain(secret);
    }
    const pushToken = stored?.secrets.pushToken ?? "";
    expect(answers[1]?.json()).toMatchObject({
      pushUrl: `https://gateway.example.com/desk/shop/…${pushToken.slice(-4)}`,
      desk: { pushToken: { set: true, hint: `…${pushToken.slice(-4)}` } },
    });
  });
});

describe("reading accounts", () => {
  test("lists all of them by id", async () => {
    await call("POST", "/accounts", WECOM);
    await call("POST", "/accounts", SHOP);
    const { items } = (await call("GET", "/accounts")).json();
    expect(items.map((item: unknown) => shownAccount.parse(item).id)).toEqual(["shop", "wecom-1"]);
  });

  test.each([
    ["GET", "/accounts/absent"],
    ["PATCH", "/accounts/absent"],
    ["DELETE", "/accounts/absent?confirm=absent"],
    ["POST", "/accounts/absent/enable"],
    ["POST", "/accounts/absent/disable"],
  ] as const)("%s %s is 404", async (method, path) => {
    const answer = await call(method, path, method === "PATCH" ? {} : undefined);
    expect(answer.json()).toMatchObject({ status: 404, code: "NOT_FOUND" });
  });
});

describe("changing an account", () => {
  beforeEach(async () => {
    await call("POST", "/accounts", { ...SHOP, desk: { ...SHOP.desk, types: { video: "text" } } });
  });

  test("changes only what is given, however deep", async () => {
    const before = (await call("GET", "/accounts/shop")).json();
    const change = { wechat: { timestampToleranceSeconds: 0 }, desk: { types: { location: "native" } }, replies: { notices: "never" } };
    const answer = await call("PATCH", "/accounts/shop", change);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      ...before,
      wechat: { ...before.wechat, timestampToleranceSeconds: 0 },
      desk: { ...before.desk, types: { video: "text", location: "native" } },
      replies: { ...before.replies, notices: "never" },
      updatedAt: expect.any(String),
    });
    expect((await call("GET", "/accounts/shop")).json()).toEqual(answer.json());
    expect(forgotten).toContain("shop");
  });

  test("replaces a secret that is given anew and keeps the others", async () => {
    const before = await testStore.store.accounts.getWithSecrets("shop");
    const answer = await call("PATCH", "/accounts/shop", { wechat: { appSecret: "new-app-secret-4242" } });
    expect(answer.json()).toMatchObject({ wechat: { appSecret: { set: true, hint: "…4242" } } });
    expect(answer.body).not.toContain("new-app-secret");
    const after = await testStore.store.accounts.getWithSecrets("shop");
    expect(after?.secrets).toEqual({ ...before?.secrets, platformSecret: "new-app-secret-4242" });
  });

  test.each<[string, object]>([
    ["#/id", { id: "other" }],
    ["#/kind", { kind: "wecom" }],
    ["#/enabled", { enabled: false }],
    ["#/name", { name: null }],
    ["#/wechat/token", { wechat: { token: null } }],
    ["#/wechat/corpId", { wechat: { corpId: "ww0123456789abcdef" } }],
    ["#/desk/pushToken", { desk: { pushToken: "chosen-by-hand" } }],
    ["#/replies/passiveWaitMs", { replies: { passiveWaitMs: 5_000 } }],
  ])("is refused with a pointer to %s, and changes nothing", async (pointer, change) => {
    const before = (await call("GET", "/accounts/shop")).json();
    const answer = await call("PATCH", "/accounts/shop", { name: "Renamed", ...change });
    expect(answer.json()).toMatchObject({ status: 400, code: "VALIDATION_FAILED", errors: [{ in: "body", pointer }] });
    expect((await call("GET", "/accounts/shop")).json()).toEqual(before);
  });

  test("takes id and kind as they are", async () => {
    const answer = await call("PATCH", "/accounts/shop", { id: "shop", kind: "official_account", name: "Renamed" });
    expect(answer.json()).toMatchObject({ name: "Renamed" });
  });

  test("asks for a secret that the change makes necessary", async () => {
    const bare = { ...SHOP, id: "bare", wechat: { appId: "wx00000000000000aa", encryption: "plain" }, replies: { async: false } };
    await call("POST", "/accounts", bare);
    const answer = await call("PATCH", "/accounts/bare", { wechat: { encryption: "safe" }, replies: { async: true } });
    expect(answer.json()).toMatchObject({ errors: [{ pointer: "#/wechat/appSecret" }, { pointer: "#/wechat/encodingAesKey" }] });
    const complete = { encryption: "safe", appSecret: "app-secret", encodingAesKey: "a".repeat(43) };
    expect((await call("PATCH", "/accounts/bare", { wechat: complete, replies: { async: true } })).statusCode).toBe(200);
  });
});

describe("enabling and disabling", () => {
  test("shows and stores the new state, with or without an empty JSON body", async () => {
    await call("POST", "/accounts", SHOP);
    const disabled = await call("POST", "/accounts/shop/disable", undefined, { "content-type": "application/json" });
    expect(disabled.json()).toMatchObject({ enabled: false });
    expect((await testStore.store.accounts.get("shop"))?.enabled).toBe(false);
    expect((await call("POST", "/accounts/shop/enable")).json()).toMatchObject({ enabled: true });
    expect((await testStore.store.accounts.get("shop"))?.enabled).toBe(true);
    expect(forgotten).toEqual(["shop", "shop", "shop"]);
  });
});

describe("deleting an account", () => {
  test("happens only with its own id as confirmation", async () => {
    await call("POST", "/accounts", SHOP);
    expect((await call("DELETE", "/accounts/shop?confirm=wecom-1")).statusCode).toBe(400);
    expect(await testStore.store.accounts.get("shop")).not.toBeNull();
    const answer = await call("DELETE", "/accounts/shop?confirm=shop");
    expect([answer.statusCode, answer.body]).toEqual([204, ""]);
    expect(await testStore.store.accounts.get("shop")).toBeNull();
    expect(forgotten).toContain("shop");
  });
});
