import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN_KEY, type OpenGateway, openGateway } from "../support/gateway.ts";

let gateway: OpenGateway;

beforeAll(async () => {
  gateway = await openGateway();
  gateway.desk.setAnswer("*", { status: "queueing", turn: 1, agent_name: "", msg: "" });
});

afterAll(() => gateway.close());

interface List {
  items: { id: string; accountId: string; action: string; actor: { id: string; name: string }; subject: string }[];
}

test("an operator of one account works there, sees nothing of the other, and is named in the audit log", async () => {
  const shop = await gateway.connect("official_account");
  const company = await gateway.connect("wecom");
  await shop.wechat.sendText("oShop", "hello");
  await company.wechat.sendText("Member", "hello");

  const order = { name: "Lily at the shop", role: "operator", accountIds: ["shop"] };
  const { status, body: made } = await gateway.api<{ id: string; key: string }>("POST", "/api-keys", order);
  expect(status).toBe(201);
  const asLily = <T>(method: string, path: string, body?: unknown) => gateway.api<T>(method, path, body, made.key);

  const own = (await asLily<List>("GET", "/conversations")).body.items;
  expect(own.map(({ accountId }) => accountId)).toEqual(["shop"]);
  const all = (await gateway.api<List>("GET", "/conversations")).body.items;
  expect(all).toHaveLength(2);
  for (const { id, accountId } of all) {
    const said = await asLily<{ id: string }>("POST", `/conversations/${id}/messages`, { type: "text", text: "Hello from Lily" });
    expect(said.status).toBe(accountId === "shop" ? 201 : 404);
  }
  expect((await asLily("GET", "/accounts")).status).toBe(403);

  const audit = (await gateway.api<List>("GET", `/audit?actor=${made.id}`)).body.items;
  expect(audit).toMatchObject([{ action: "message.written", accountId: "shop", actor: { id: made.id, name: "Lily at the shop" } }]);
  expect(JSON.stringify(audit)).not.toContain("Hello from Lily");

  expect((await gateway.api("DELETE", `/api-keys/${made.id}`)).status).toBe(204);
  expect((await asLily("GET", "/conversations")).status).toBe(401);
});

test("the key of the settings is in the audit log, made by the settings", async () => {
  const { items } = (await gateway.api<List>("GET", "/audit?actor=settings")).body;
  expect(items).toMatchObject([{ action: "api-key.created", subject: "key_settings", accountId: null }]);
});

test("who guesses keys is told to wait, and the operator at the same address works on", async () => {
  const ask = (key: string) => fetch(`${gateway.address}/api/v1/conversations`, { headers: { authorization: `Bearer ${key}` } });
  const statuses = await Promise.all(Array.from({ length: 30 }, async (_, guess) => (await ask(`guess-${guess}`)).status));
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  const refused = await ask("guess-31");
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d?$/);
  expect(await refused.json()).toMatchObject({ code: "RATE_LIMITED", status: 429 });
  expect((await ask(ADMIN_KEY)).status).toBe(200);
});
