import { afterEach, beforeEach, expect, test } from "vitest";
import { ALL_ACCOUNTS, hashApiKey, type NewApiKey } from "../../src/domain/api-key.ts";
import { SETTINGS } from "../../src/domain/audit.ts";
import { openTestStore, TESTER, type TestStore } from "../support/store.ts";

let opened: TestStore;

beforeEach(async () => {
  opened = await openTestStore();
});

afterEach(() => opened.close());

const admin = (id: string, key = `key of ${id}`): NewApiKey => ({
  id,
  name: id,
  role: "admin",
  accountIds: [],
  hash: hashApiKey(key),
  expiresAt: null,
});

async function actions(): Promise<(string | null)[][]> {
  const page = await opened.store.audit.list({}, { limit: 200 }, ALL_ACCOUNTS);
  if (page === "bad-cursor") throw new Error("no cursor was given");
  return page.items.map(({ action, subject, actor }) => [action, subject, actor.id]).reverse();
}

test("of all admin keys, removed at the same moment from many hands, one stays", async () => {
  const ids = Array.from({ length: 8 }, (_, index) => `key_${index}`);
  for (const id of ids) await opened.store.apiKeys.create(admin(id), TESTER);
  const outcomes = await Promise.all(ids.map((id) => opened.store.apiKeys.remove(id, TESTER)));
  expect(outcomes.filter((outcome) => outcome === "removed")).toHaveLength(7);
  expect(outcomes.filter((outcome) => outcome === "last-admin")).toHaveLength(1);
  expect(await opened.store.apiKeys.countAdmins()).toBe(1);
  expect((await actions()).filter(([action]) => action === "api-key.deleted")).toHaveLength(7);
});

test("a key with a taken id or hash is not made, and leaves no entry", async () => {
  const { apiKeys } = opened.store;
  await apiKeys.create(admin("key_1"), TESTER);
  expect(await apiKeys.create({ ...admin("key_1"), hash: "another" }, TESTER)).toBeNull();
  expect(await apiKeys.create({ ...admin("key_1"), id: "key_2" }, TESTER)).toBeNull();
  expect(await actions()).toEqual([["api-key.created", "key_1", TESTER.id]]);
});

test("the settings' key is put in its place once, however many processes start with it, and only a change is written down", async () => {
  const { apiKeys } = opened.store;
  const inSettings = (key: string) => admin("key_settings", key);
  await Promise.all(Array.from({ length: 5 }, () => apiKeys.replace(inSettings("one"), SETTINGS)));
  expect(await actions()).toEqual([["api-key.created", "key_settings", "settings"]]);

  await apiKeys.touch("key_settings");
  await apiKeys.replace(inSettings("one"), SETTINGS);
  expect(await apiKeys.find(hashApiKey("one"))).toMatchObject({ lastUsedAt: expect.any(Date) });

  await apiKeys.replace(inSettings("two"), SETTINGS);
  expect(await apiKeys.find(hashApiKey("one"))).toBeNull();
  expect(await apiKeys.find(hashApiKey("two"))).toMatchObject({ id: "key_settings", lastUsedAt: null });
  expect((await actions()).slice(1)).toEqual([["api-key.changed", "key_settings", "settings"]]);
});

test("a key that is put into the settings is no longer a key of its own", async () => {
  const { apiKeys } = opened.store;
  await apiKeys.create(admin("key_first", "one"), SETTINGS);
  await apiKeys.replace(admin("key_settings", "one"), SETTINGS);
  expect((await apiKeys.list()).map(({ id }) => id)).toEqual(["key_settings"]);
  expect((await actions()).slice(1)).toEqual([
    ["api-key.deleted", "key_first", "settings"],
    ["api-key.created", "key_settings", "settings"],
  ]);
});
