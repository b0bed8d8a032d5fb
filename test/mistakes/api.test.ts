import { afterAll, beforeAll, expect } from "vitest";
import { openDatabase } from "../../src/store/database/database.ts";
import { callAs, createApi } from "../http/api/app.ts";
import { DESK_KEY, eventually, type OpenGateway, openGateway } from "../support/gateway.ts";
import { describeMistakes } from "./expect-said.ts";

let gateway: OpenGateway;

beforeAll(async () => {
  gateway = await openGateway();
  await gateway.connect("official_account");
  await gateway.connect("wecom");
});
afterAll(() => gateway.close());

const ask = async (method: string, path: string, body?: unknown, key?: string | null) =>
  toText((await gateway.api(method, path, body, key)).body);

/** As it reads, without the escapes of JSON. */
function toText(problem: Record<string, unknown>): string {
  const errors = Array.isArray(problem.errors) ? problem.errors : [];
  return [problem.detail, ...errors.map((error: { pointer: string; detail: string }) => `${error.pointer} ${error.detail}`)].join("\n");
}

const create = (change: { wechat?: object; desk?: object }) =>
  ask("POST", "/accounts", {
    id: "another",
    name: "Another",
    kind: "official_account",
    wechat: { appId: "wx00000000000000ac", appSecret: "app-secret", ...change.wechat },
    desk: { protocol: "udesk-message-interface", url: gateway.desk.url, key: DESK_KEY, ...change.desk },
  });

/** An admin's key, good for another account than the shop. */
async function keyForCompany(): Promise<string> {
  const order = { name: "Company", role: "admin", accountIds: ["company"] };
  return (await gateway.api<{ key: string }>("POST", "/api-keys", order)).body.key;
}

/** A change of an account while the database refuses it with this error. */
async function changeWhileRefused(sqlstate: string): Promise<string> {
  const database = await openDatabase(gateway.database.address);
  const run = (sql: string) => database.prisma.$executeRawUnsafe(sql);
  await run(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION USING ERRCODE = '${sqlstate}', MESSAGE = 'refused'; END $$`);
  await run("CREATE TRIGGER refuse BEFORE UPDATE ON accounts EXECUTE FUNCTION refuse()");
  try {
    return await ask("PATCH", "/accounts/shop", { name: "Shop" });
  } finally {
    await run("DROP FUNCTION refuse CASCADE");
    if (gateway.database.isServer) await database.close();
  }
}

describeMistakes("api", {
  "api-key-missing": () => ask("GET", "/accounts", undefined, null),
  "api-key-wrong": () => ask("GET", "/accounts", undefined, "wrong-key"),
  "role-too-low": async () => {
    const api = await createApi();
    const problem = (await callAs(api, "viewer")("GET", "/accounts")).json();
    await api.close();
    return toText(problem);
  },
  "api-key-expired": async () => {
    const soon = new Date(Date.now() + 1_000).toISOString();
    const { body } = await gateway.api<{ key: string }>("POST", "/api-keys", { name: "Guest", role: "admin", expiresAt: soon });
    return eventually(
      "the key's end",
      () => ask("GET", "/accounts", undefined, body.key),
      (text) => text.includes("unknown or no longer valid"),
    );
  },
  "api-key-guessed": async () => {
    // An API of its own: for a minute nobody else gets in from this address.
    const api = await createApi();
    const headers = { authorization: "Bearer the-key-of-last-year" };
    const guess = () => api.inject({ method: "GET", url: "/api/v1/accounts", headers });
    for (let count = 0; count < 10; count += 1) expect((await guess()).statusCode).toBe(401);
    const problem = (await guess()).json();
    await api.close();
    return toText(problem);
  },
  "key-of-other-account": async () => ask("GET", "/accounts/shop", undefined, await keyForCompany()),
  "key-limited": async () => ask("GET", "/api-keys", undefined, await keyForCompany()),
  "last-admin-key": () => ask("DELETE", "/api-keys/key_settings?confirm=key_settings"),
  "settings-key": () => ask("DELETE", "/api-keys/key_settings"),
  "secret-of-other-kind": () => ask("POST", "/accounts/shop/secrets/corpSecret", { value: "x" }),
  "secret-not-given": () => ask("POST", "/accounts/shop/secrets/appSecret"),
  "aes-key-short": () => create({ wechat: { encodingAesKey: "a".repeat(42) } }),
  "token-form": () => create({ wechat: { token: "not-a-token" } }),
  "id-taken": () =>
    ask("POST", "/accounts", {
      id: "shop",
      name: "Shop",
      kind: "official_account",
      wechat: { appId: "wx0123456789abcdef", appSecret: "app-secret" },
      desk: { protocol: "udesk-message-interface", url: gateway.desk.url, key: DESK_KEY },
    }),
  "app-taken": () => create({ wechat: { appId: "wx0123456789abcdef" } }),
  "desk-key-missing": () => create({ desk: { key: undefined } }),
  "app-secret-missing": () => create({ wechat: { appSecret: undefined } }),
  "kind-mixed": () => create({ wechat: { corpId: "ww0123456789abcdef" } }),
  "desk-url-with-query": () => create({ desk: { url: `${gateway.desk.url}?number=1` } }),
  "database-locked": () => changeWhileRefused("55P03"),
  "database-full": () => changeWhileRefused("53100"),
  "database-changed": () => changeWhileRefused("42703"),
  "test-while-disabled": async () => {
    await gateway.api("POST", "/accounts/shop/disable");
    const text = await ask("POST", "/accounts/shop/test");
    await gateway.api("POST", "/accounts/shop/enable");
    return text;
  },
  "delete-unconfirmed": () => ask("DELETE", "/accounts/shop"),
});
