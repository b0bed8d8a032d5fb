import { expect, test } from "vitest";
import { withLocalKey } from "../../src/app/local-key.ts";
import { type ApiKey, hashApiKey } from "../../src/domain/api-key.ts";
import type { ApiKeyStore } from "../../src/domain/store.ts";

const STORED = { id: "key_1", name: "stored", role: "viewer" } as ApiKey;
const keys = { find: async (hash) => (hash === hashApiKey("stored") ? STORED : null) } as ApiKeyStore;

test("the local key is an admin's, the stored keys are what they were, and nothing else is one", async () => {
  const { key, apiKeys } = withLocalKey(keys);
  expect(await apiKeys.find(hashApiKey(key))).toMatchObject({ id: "cli", role: "admin", accountIds: [] });
  expect(await apiKeys.find(hashApiKey("stored"))).toBe(STORED);
  expect(await apiKeys.find(hashApiKey(""))).toBeNull();
});

test("each process has a local key of its own", async () => {
  const [one, other] = [withLocalKey(keys), withLocalKey(keys)];
  expect(await other.apiKeys.find(hashApiKey(one.key))).toBeNull();
});
