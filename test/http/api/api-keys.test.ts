import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashApiKey, SETTINGS_KEY_ID } from "../../../src/domain/api-key.ts";
import { SETTINGS } from "../../../src/domain/audit.ts";
import { createdApiKey, shownApiKey } from "../../../src/http/api/schemas/api-key.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../../support/store.ts";
import { type Call, callWith, createApi } from "./app.ts";
import { createKey } from "./every-route.ts";

let testStore: TestStore;
let app: Awaited<ReturnType<typeof createApi>>;
let admin: Awaited<ReturnType<typeof createKey>>;
let call: Call;

beforeAll(async () => {
  testStore = await openTestStore();
  await testStore.store.accounts.create(newAccount("shop"), TESTER);
  app = await createApi({ ...testStore.store, now: () => new Date() });
  admin = await createKey(testStore.store);
  call = callWith(app, admin.key);
});

afterAll(async () => {
  await app.close();
  await testStore.close();
});

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const keysById = async () => new Map((await testStore.store.apiKeys.list()).map((key) => [key.id, key]));

describe("creating a key", () => {
  test("shows it once; it works at once, and only its hash is stored", async () => {
    const answer = await call("POST", "/api-keys", {
      name: " console ",
      role: "viewer",
      accountIds: ["shop", "shop"],
      expiresAt: inMs(60_000),
    });
    expect(answer.statusCode).toBe(201);
    const { key, ...shown } = createdApiKey.parse(answer.json());
    expect(shown).toMatchObject({ name: "console", role: "viewer", accountIds: ["shop"], lastUsedAt: null });
    expect(key).toMatch(/^wxk_[\w-]{32}$/);
    expect((await callWith(app, key)("GET", "/conversations")).statusCode).toBe(200);

    const list = await call("GET", "/api-keys");
    const { items } = list.json();
    expect(items.map((item: unknown) => shownApiKey.strict().parse(item))).toContainEqual({ ...shown, lastUsedAt: expect.any(String) });
    expect(list.body).not.toContain(key);
    const rows = await testStore.database.prisma.apiKey.findMany();
    expect(JSON.stringify(rows)).not.toContain(key);
    expect(rows.map(({ hash }) => hash)).toContain(hashApiKey(key));
  });

  test.each([
    ["#/name", { role: "viewer" }],
    ["#/name", { name: "  ", role: "viewer" }],
    ["#/role", { name: "x" }],
    ["#/role", { name: "x", role: "root" }],
    ["#/accountIds", { name: "x", role: "viewer", accountIds: [] }],
    ["#/accountIds/1", { name: "x", role: "viewer", accountIds: ["shop", "nowhere"] }],
    ["#/expiresAt", { name: "x", role: "viewer", expiresAt: "2020-01-01T00:00:00Z" }],
    ["#/expiresAt", { name: "x", role: "viewer", expiresAt: "tomorrow" }],
    ["#/key", { name: "x", role: "viewer", key: "my own" }],
  ])("points at %s of %j", async (pointer, body) => {
    const before = (await keysById()).size;
    expect((await call("POST", "/api-keys", body)).json()).toMatchObject({ status: 400, code: "VALIDATION_FAILED", errors: [{ pointer }] });
    expect((await keysById()).size).toBe(before);
  });
});

describe("deleting a key", () => {
  test("ends it with the next request", async () => {
    const { id, key } = await createKey(testStore.store, { role: "operator" });
    expect((await callWith(app, key)("GET", "/conversations")).statusCode).toBe(200);
    expect((await call("DELETE", `/api-keys/${id}`)).statusCode).toBe(204);
    expect((await callWith(app, key)("GET", "/conversations")).statusCode).toBe(401);
    expect((await call("DELETE", `/api-keys/${id}`)).json()).toMatchObject({ status: 404, code: "NOT_FOUND" });
  });

  test("of the last one that may manage keys is refused with what to do; limited and expired admins do not count", async () => {
    await createKey(testStore.store, { accountIds: ["shop"] });
    await createKey(testStore.store, { expiresAt: new Date(0) });
    const refused = await call("DELETE", `/api-keys/${admin.id}`);
    expect(refused.json()).toMatchObject({ status: 409, code: "LAST_ADMIN_KEY", detail: expect.stringContaining("create another key") });

    const second = await createKey(testStore.store);
    expect((await call("DELETE", `/api-keys/${admin.id}`)).statusCode).toBe(204);
    admin = second;
    call = callWith(app, admin.key);
    expect((await call("DELETE", `/api-keys/${admin.id}`)).json()).toMatchObject({ code: "LAST_ADMIN_KEY" });
  });

  test("of the settings' own key says that it comes back, and asks for a confirmation", async () => {
    const { apiKeys } = testStore.store;
    const key = {
      id: SETTINGS_KEY_ID,
      name: "WXDESK_ADMIN_KEY",
      role: "admin",
      accountIds: [],
      hash: "0".repeat(64),
      expiresAt: null,
    } as const;
    await apiKeys.replace(key, SETTINGS);
    const asked = await call("DELETE", `/api-keys/${SETTINGS_KEY_ID}`);
    expect(asked.json()).toMatchObject({ status: 400, code: "CONFIRMATION_MISSING", detail: expect.stringContaining("next start") });
    expect((await keysById()).has(SETTINGS_KEY_ID)).toBe(true);
    expect((await call("DELETE", `/api-keys/${SETTINGS_KEY_ID}?confirm=${SETTINGS_KEY_ID}`)).statusCode).toBe(204);
    expect((await keysById()).has(SETTINGS_KEY_ID)).toBe(false);
  });
});

describe("a key", () => {
  test("that has expired is refused in the words for an unknown one", async () => {
    const { key } = await createKey(testStore.store, { expiresAt: new Date(Date.now() - 1_000) });
    const expired = await callWith(app, key, "192.0.2.1")("GET", "/conversations");
    const unknown = await callWith(app, "wxk_unknown", "192.0.2.1")("GET", "/conversations");
    expect([expired.statusCode, expired.body]).toEqual([401, unknown.body]);
  });

  test("shows when it was used last, written down once a minute", async () => {
    const { id, key } = await createKey(testStore.store, { role: "viewer" });
    const use = () => callWith(app, key)("GET", "/conversations");
    const lastUsedAt = async () => (await keysById()).get(id)?.lastUsedAt ?? null;
    const startedAt = Date.now();
    await use();
    const first = await lastUsedAt();
    expect(first?.getTime()).toBeGreaterThanOrEqual(startedAt - 1_000);
    await use();
    expect(await lastUsedAt()).toEqual(first);

    const longAgo = new Date(startedAt - 61_000);
    await testStore.database.prisma.apiKey.update({ where: { id }, data: { lastUsedAt: longAgo } });
    await use();
    expect((await lastUsedAt())?.getTime()).toBeGreaterThan(longAgo.getTime());
  });

  test("works also when its use cannot be written down", async () => {
    const { key } = await createKey(testStore.store, { role: "viewer" });
    const touch = () => Promise.reject(new Error("read-only"));
    const broken = await createApi({ ...testStore.store, apiKeys: { ...testStore.store.apiKeys, touch } });
    expect((await callWith(broken, key)("GET", "/conversations")).statusCode).toBe(200);
    await broken.close();
  });
});
