import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createStore } from "../src/store/store.ts";
import { DESK_KEY, type OpenGateway, openGateway } from "./support/gateway.ts";
import { newAccount, openTestStore, TESTER } from "./support/store.ts";

let gateway: OpenGateway;

beforeAll(async () => {
  gateway = await openGateway();
});
afterAll(() => gateway.close());

const desk = () => ({ protocol: "udesk-message-interface", url: gateway.desk.url, key: DESK_KEY });
const official = (id: string, appId: string) => ({
  id,
  name: id,
  kind: "official_account",
  wechat: { appId, appSecret: "app-secret" },
  desk: desk(),
});
const wecom = (id: string, corpId: string, agentId: number) => ({
  id,
  name: id,
  kind: "wecom",
  wechat: { corpId, agentId, corpSecret: "corp-secret" },
  desk: desk(),
});
const create = (account: object, key?: string) => gateway.api("POST", "/accounts", account, key);
const refusal = (other: string, words: string) => ({
  status: 409,
  body: {
    code: "ACCOUNT_DUPLICATE",
    detail: `account "${other}" has ${words} already, enabled or not; change that account, or delete it first`,
  },
});

describe("a second account of an app is refused, with the name of the first", () => {
  test("with the same appId, created or changed, also while the first is disabled", async () => {
    expect((await create(official("one", "wx00000000000000a1"))).status).toBe(201);
    expect((await create(official("other", "wx00000000000000a2"))).status).toBe(201);
    const taken = refusal("one", "the appId wx00000000000000a1");
    expect(await create(official("two", "wx00000000000000a1"))).toMatchObject(taken);
    expect(await gateway.api("PATCH", "/accounts/other", { wechat: { appId: "wx00000000000000a1" } })).toMatchObject(taken);
    expect((await gateway.api("POST", "/accounts/one/disable")).status).toBe(200);
    expect(await create(official("two", "wx00000000000000a1"))).toMatchObject(taken);
    expect(await gateway.api("GET", "/accounts/other")).toMatchObject({ body: { wechat: { appId: "wx00000000000000a2" } } });
    // An id that is taken is still said to be that.
    expect(await create(official("other", "wx00000000000000a3"))).toMatchObject({ status: 409, body: { code: "ACCOUNT_EXISTS" } });
  });

  test("with the same corpId and agentId; another app of the company is another account", async () => {
    expect((await create(wecom("app-1", "ww00000000000000b1", 1))).status).toBe(201);
    expect((await create(wecom("app-2", "ww00000000000000b1", 2))).status).toBe(201);
    const taken = refusal("app-1", "the corpId ww00000000000000b1 with the agentId 1");
    expect(await create(wecom("app-3", "ww00000000000000b1", 1))).toMatchObject(taken);
    expect(await gateway.api("PATCH", "/accounts/app-2", { wechat: { agentId: 1 } })).toMatchObject(taken);
  });

  test("until the first is changed or deleted", async () => {
    expect((await create(official("old", "wx00000000000000c1"))).status).toBe(201);
    expect((await gateway.api("PATCH", "/accounts/old", { wechat: { appId: "wx00000000000000c2" } })).status).toBe(200);
    expect((await create(official("new", "wx00000000000000c1"))).status).toBe(201);
    expect((await gateway.api("DELETE", "/accounts/old?confirm=old")).status).toBe(204);
    expect((await create(official("newer", "wx00000000000000c2"))).status).toBe(201);
  });

  test("but a key that does not see the first is not told its name", async () => {
    expect((await create(official("hidden", "wx00000000000000d1"))).status).toBe(201);
    expect((await create(official("seen", "wx00000000000000d2"))).status).toBe(201);
    const order = { name: "Limited", role: "admin", accountIds: ["seen"] };
    const { key } = (await gateway.api<{ key: string }>("POST", "/api-keys", order)).body;
    const answer = await gateway.api("PATCH", "/accounts/seen", { wechat: { appId: "wx00000000000000d1" } }, key);
    expect(answer).toMatchObject({ status: 409, body: { code: "ACCOUNT_DUPLICATE" } });
    expect(JSON.stringify(answer.body)).not.toContain("hidden");
  });
});

test("of many that create the same app at the same moment, on two replicas, one succeeds", async () => {
  const { store, database, box, close } = await openTestStore();
  onTestFinished(close);
  const replicas = [store, createStore(database, box)];
  const app = newAccount("app").settings;
  const tries = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) =>
      (replicas[index % 2] ?? store).accounts.create({ ...newAccount(`twin-${index}`), settings: app }, TESTER),
    ),
  );
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const result of tries) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "ACCOUNT_DUPLICATE" });
});
