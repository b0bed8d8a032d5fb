import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openStore } from "../src/app/open-store.ts";
import { createLogger } from "../src/base/logger.ts";
import { readConfig } from "../src/config.ts";
import { ALL_ACCOUNTS, hashApiKey } from "../src/domain/api-key.ts";

test("each start makes sure that somebody can log in, and the audit log says when that changed who can", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-open-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));

  /** Starts and stops; says which of the keys were good meanwhile. */
  async function start(environment: Record<string, string>, keys: readonly string[]) {
    const log = createLogger({ level: "silent" });
    const { store, database, admit, unlock } = await openStore(readConfig({ WXDESK_DATA_DIR: folder, ...environment }), undefined, log);
    const adminKey = await admit();
    const found = await Promise.all(keys.map((key) => store.apiKeys.find(hashApiKey(key))));
    const page = await store.audit.list({}, { limit: 200 }, ALL_ACCOUNTS);
    await database.close();
    await unlock();
    if (page === "bad-cursor") throw new Error("no cursor was given");
    const entries = page.items.map(({ action, subject, actor }) => `${actor.id}: ${action} ${subject}`).reverse();
    return { adminKey, good: keys.filter((_, index) => found[index] !== null), log: entries };
  }

  const first = await start({}, []);
  if (first.adminKey === null) throw new Error("the first start made no key");
  const keys = [first.adminKey, "settings-key-one-0123456789", "settings-key-two-0123456789"];
  expect(first.log).toEqual(["settings: api-key.created key_first"]);

  const second = await start({ WXDESK_ADMIN_KEY: "settings-key-one-0123456789" }, keys);
  expect(second).toMatchObject({ adminKey: null, good: keys.slice(0, 2) });
  const third = await start({ WXDESK_ADMIN_KEY: "settings-key-one-0123456789" }, keys);
  expect(third.log).toEqual([...first.log, "settings: api-key.created key_settings"]);
  const fourth = await start({ WXDESK_ADMIN_KEY: "settings-key-two-0123456789" }, keys);
  expect(fourth.good).toEqual([keys[0], keys[2]]);
  expect(fourth.log).toEqual([...third.log, "settings: api-key.changed key_settings"]);
});
