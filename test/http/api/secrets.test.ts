import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { shownAccount } from "../../../src/http/api/schemas/account.ts";
import { rotatedAccount } from "../../../src/http/api/schemas/secret.ts";
import { openTestStore, TESTER, type TestStore } from "../../support/store.ts";
import { type Call, callAs, createApi, SHOP } from "./app.ts";

const OLD_TOKEN = "TheOldTokenOfTheShop";
const OLD_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const WECOM = {
  ...SHOP,
  id: "company",
  kind: "wecom",
  wechat: { corpId: "ww0123456789abcdef", corpSecret: "corp-secret-0123456789", agentId: 1000002 },
};

let testStore: TestStore;
let app: FastifyInstance;
let call: Call;
let now = new Date();
const forgotten: string[] = [];

beforeAll(async () => {
  testStore = await openTestStore();
  const connections = { get: async () => null, forget: (id: string) => void forgotten.push(id) };
  app = await createApi({ accounts: testStore.store.accounts, connections, now: () => now });
  call = callAs(app, "admin");
});

afterAll(async () => {
  await app.close();
  await testStore.close();
});

beforeEach(async () => {
  const { accounts } = testStore.store;
  for (const { id } of await accounts.list()) await accounts.remove(id, TESTER);
  await call("POST", "/accounts", { ...SHOP, wechat: { ...SHOP.wechat, token: OLD_TOKEN, encodingAesKey: OLD_KEY } });
  await testStore.database.prisma.auditEntry.deleteMany();
  forgotten.length = 0;
  now = new Date();
});

const rotate = (name: string, body?: unknown, id = "shop") => call("POST", `/accounts/${id}/secrets/${name}`, body);
const credentialsOf = async (name: "token" | "deskKey" | "pushToken" | "encodingAesKey" | "platformSecret") =>
  (await testStore.store.accounts.getWithSecrets("shop"))?.credentials[name]?.map(({ value }) => value);
const audit = async () => {
  const entries = await testStore.database.prisma.auditEntry.findMany({ orderBy: { id: "asc" } });
  return entries.map(({ actor, action, accountId, subject, detail }) => ({ actor, action, accountId, subject, detail }));
};
/** To the minute: the end is stored by the database's clock. */
const isIn = (seconds: number, moment: Date | string | null | undefined) =>
  Math.abs(new Date(moment ?? 0).getTime() - afterSeconds(seconds).getTime()) < 60_000;
const afterSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1_000);

describe("rotating a secret", () => {
  test("makes the given value current, keeps the old one for the overlap, and shows neither", async () => {
    const answer = await rotate("token", { value: " TheNewTokenOfTheShop\n", overlapSeconds: 3600 });
    expect(answer.statusCode).toBe(200);
    const account = rotatedAccount.parse(answer.json());
    expect(account.generated).toEqual({});
    expect(account.wechat.token).toEqual({
      set: true,
      hint: "…Shop",
      changedAt: expect.any(String),
      previous: [{ hint: "…Shop", expiresAt: expect.any(String) }],
    });
    expect(isIn(3600, account.wechat.token.previous[0]?.expiresAt)).toBe(true);
    for (const value of ["TheNewTokenOfTheShop", OLD_TOKEN]) expect(answer.body).not.toContain(value);

    const stored = await testStore.store.accounts.getWithSecrets("shop");
    expect(stored?.secrets.token).toBe("TheNewTokenOfTheShop");
    expect(stored?.credentials.token).toEqual([
      { value: "TheNewTokenOfTheShop", expiresAt: null },
      { value: OLD_TOKEN, expiresAt: expect.any(Date) },
    ]);
    expect(isIn(3600, stored?.credentials.token?.[1]?.expiresAt)).toBe(true);
    expect(forgotten).toEqual(["shop"]);
  });

  test("keeps the old value for a day when nothing is said, and asks for no body", async () => {
    const answer = await rotate("token");
    expect(answer.statusCode).toBe(200);
    const [previous] = answer.json().wechat.token.previous;
    expect(previous).toMatchObject({ hint: "…Shop" });
    expect(isIn(86_400, previous.expiresAt)).toBe(true);
  });

  test.each([
    ["token", /^[A-Za-z0-9]{32}$/],
    ["encodingAesKey", /^[A-Za-z0-9]{43}$/],
  ] as const)("makes up a %s that is omitted, and shows it this once", async (name, pattern) => {
    const { generated } = (await rotate(name, {})).json();
    expect(Object.keys(generated)).toEqual([name]);
    expect(generated[name]).toMatch(pattern);
    expect((await credentialsOf(name))?.[0]).toBe(generated[name]);
    expect((await call("GET", "/accounts/shop")).body).not.toContain(generated[name]);
  });

  test("makes up a push token, and shows the complete push address this once", async () => {
    const answer = (await rotate("pushToken")).json();
    const [current] = (await credentialsOf("pushToken")) ?? [];
    expect(answer).toMatchObject({ pushUrl: `https://gateway.example.com/desk/shop/${current}`, generated: {} });
    expect((await call("GET", "/accounts/shop")).body).not.toContain(current);
  });

  test("shows no push address that holds a token which was given", async () => {
    const answer = await rotate("pushToken", { value: "push-token-of-our-own-making" });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).not.toContain("push-token-of-our-own-making");
  });

  test.each(["appSecret", "deskKey"])("a missing %s is refused with what to do", async (name) => {
    const answer = await rotate(name, {});
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: "VALIDATION_FAILED",
      errors: [{ in: "body", pointer: "#/value", detail: expect.stringMatching(/give the one that/) }],
    });
  });

  test.each([
    ["token", "no blanks"],
    ["encodingAesKey", "tooshort"],
    ["appSecret", ""],
    ["deskKey", "a b"],
    ["pushToken", "short"],
    ["pushToken", "slashes/are/parts/of/paths"],
  ])("a %s that would be refused in the account's document is refused here: %j", async (name, value) => {
    const answer = await rotate(name, { value });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: "VALIDATION_FAILED", errors: [{ in: "body", pointer: "#/value" }] });
    expect((await testStore.store.accounts.get("shop"))?.version).toBe(1);
  });

  test.each([
    ["corpSecret", "shop", /token, encodingAesKey, appSecret, deskKey, pushToken$/],
    ["appSecret", "company", /token, encodingAesKey, corpSecret, deskKey, pushToken$/],
  ])("a %s is no secret of %s: the answer names those that are", async (name, id, names) => {
    await call("POST", "/accounts", WECOM);
    for (const answer of [
      await rotate(name, { value: "a-value-of-some-length" }, id),
      await call("DELETE", `/accounts/${id}/secrets/${name}/previous`),
    ]) {
      expect(answer.statusCode).toBe(400);
      expect(answer.json().errors).toEqual([{ in: "path", pointer: "#/name", detail: expect.stringMatching(names) }]);
    }
  });

  test("an unknown name, an unknown account and an overlap that is too long are refused", async () => {
    expect((await rotate("password", { value: "x" })).statusCode).toBe(400);
    expect((await rotate("token", {}, "nobody")).statusCode).toBe(404);
    expect((await rotate("token", { overlapSeconds: 30 * 86_400 + 1 })).json().errors).toMatchObject([{ pointer: "#/overlapSeconds" }]);
    expect((await rotate("token", { overlapSeconds: -1 })).statusCode).toBe(400);
    expect((await rotate("token", { value: "abc", overlap: 1 })).statusCode).toBe(400);
  });

  test("to the value that is current changes nothing, so that it can be asked for again", async () => {
    const first = (await rotate("token", { value: "TheNewTokenOfTheShop", overlapSeconds: 60 })).json();
    const again = (await rotate("token", { value: "TheNewTokenOfTheShop", overlapSeconds: 0 })).json();
    expect(again).toEqual(first);
    expect(await audit()).toHaveLength(1);
  });

  test("back to a value in its overlap makes that one current, and it is old no more", async () => {
    await rotate("token", { value: "TheNewTokenOfTheShop" });
    await rotate("token", { value: OLD_TOKEN });
    expect(await credentialsOf("token")).toEqual([OLD_TOKEN, "TheNewTokenOfTheShop"]);
  });

  test("keeps three old values at most; the oldest goes", async () => {
    for (const value of ["one", "two", "three", "four"]) await rotate("token", { value });
    expect(await credentialsOf("token")).toEqual(["four", "three", "two", "one"]);
  });

  test("with no overlap ends the old value and every older one", async () => {
    await rotate("token", { value: "one" });
    const answer = (await rotate("token", { value: "two", overlapSeconds: 0 })).json();
    expect(answer.wechat.token.previous).toEqual([]);
    expect(await credentialsOf("token")).toEqual(["two"]);
  });

  test("keeps nothing old of a secret that only goes out, and drops the access token made with it", async () => {
    const expiresAt = afterSeconds(7200);
    await testStore.store.accessTokens.put("shop", { value: "an-access-token", expiresAt });
    await rotate("token", { value: "one" });
    expect(await testStore.store.accessTokens.get("shop")).toMatchObject({ value: "an-access-token" });
    const answer = (await rotate("appSecret", { value: "another-app-secret" })).json();
    expect(answer.wechat.appSecret).toMatchObject({ hint: "…cret", previous: [] });
    expect(await credentialsOf("platformSecret")).toEqual(["another-app-secret"]);
    expect(await testStore.store.accessTokens.get("shop")).toBeNull();
  });

  test("two at once leave one current value, and both old ones are taken", async () => {
    await Promise.all([rotate("token", { value: "one" }), rotate("token", { value: "two" })]);
    const stored = (await testStore.store.accounts.getWithSecrets("shop"))?.credentials.token ?? [];
    expect(stored.filter(({ expiresAt }) => expiresAt === null)).toHaveLength(1);
    expect(stored.map(({ value }) => value).sort()).toEqual([OLD_TOKEN, "one", "two"]);
  });

  test("an old value is shown and stored no longer than its overlap", async () => {
    now = new Date(Date.now() - 60_000);
    await rotate("token", { value: "one", overlapSeconds: 59 });
    expect(await credentialsOf("token")).toEqual(["one"]);
    expect((await call("GET", "/accounts/shop")).json().wechat.token.previous).toEqual([]);
    expect(await testStore.store.retention.removeExpiredSecrets()).toBe(1);
    expect(await testStore.store.retention.removeExpiredSecrets()).toBe(0);
    expect(await credentialsOf("token")).toEqual(["one"]);
  });

  test("is written down: who, which secret, until when the old one counts; no value", async () => {
    await rotate("deskKey", { value: "the-new-desk-key", overlapSeconds: 60 });
    await call("DELETE", "/accounts/shop/secrets/deskKey/previous");
    await call("DELETE", "/accounts/shop/secrets/deskKey/previous");
    const common = { actor: "key_admin", accountId: "shop", subject: "deskKey" };
    expect(await audit()).toEqual([
      { ...common, action: "secret.rotated", detail: { oldValueCountsUntil: expect.any(String) } },
      { ...common, action: "secret.revoked", detail: { values: 1 } },
    ]);
  });

  test("takes an admin", async () => {
    for (const role of ["viewer", "operator"] as const) {
      expect((await callAs(app, role)("POST", "/accounts/shop/secrets/token", {})).statusCode).toBe(403);
      expect((await callAs(app, role)("DELETE", "/accounts/shop/secrets/token/previous")).statusCode).toBe(403);
    }
    expect(await credentialsOf("token")).toEqual([OLD_TOKEN]);
  });
});

describe("revoking the old values", () => {
  test("ends them now and leaves the current value; again it changes nothing", async () => {
    await rotate("token", { value: "one" });
    await rotate("pushToken");
    const answer = await call("DELETE", "/accounts/shop/secrets/token/previous");
    expect(answer.statusCode).toBe(200);
    const account = shownAccount.parse(answer.json());
    expect(account.wechat.token).toMatchObject({ set: true, previous: [] });
    expect(account.desk.pushToken.previous).toHaveLength(1);
    expect(await credentialsOf("token")).toEqual(["one"]);
    expect((await call("DELETE", "/accounts/shop/secrets/token/previous")).json()).toEqual(account);
    expect((await call("DELETE", "/accounts/nobody/secrets/token/previous")).statusCode).toBe(404);
  });
});

test("a secret given in a change of the account counts at once, and no old one beside it", async () => {
  await rotate("token", { value: "one" });
  const answer = await call("PATCH", "/accounts/shop", { wechat: { token: "two" } });
  expect(answer.json().wechat.token.previous).toEqual([]);
  expect(await credentialsOf("token")).toEqual(["two"]);
});
