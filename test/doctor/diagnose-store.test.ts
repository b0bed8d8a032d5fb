import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "../../src/app/app.ts";
import { readConfig } from "../../src/config.ts";
import { diagnoseStore } from "../../src/doctor/diagnose-store.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { startDesk } from "../../src/emulators/desk.ts";
import { startWechat } from "../../src/emulators/wechat.ts";
import { copyDataFolder, prepareDataFolder } from "../crash/stage.ts";
import { createTestDatabase } from "../support/database.ts";
import { ADMIN_KEY, callApi, connect, DESK_KEY, eventually, type Gateway, look } from "../support/gateway.ts";

prepareDataFolder();

let folder: string;
beforeEach(async () => {
  folder = await copyDataFolder();
});

const toConfig = (more: Record<string, string> = {}) =>
  readConfig({ WXDESK_DATA_DIR: folder, WXDESK_PORT: "0", WXDESK_LOG_LEVEL: "silent", WXDESK_ADMIN_KEY: ADMIN_KEY, ...more });

async function findings(name: string, more: Record<string, string> = {}): Promise<Finding[]> {
  return (await diagnoseStore(toConfig(more))).findings.filter((finding) => finding.name === name);
}

/** Whatever the migrations of the folder are, they are all applied after this. */
async function startOnce(): Promise<void> {
  await (await createApp(toConfig())).close();
}

async function inFolder(sql: string): Promise<void> {
  const pglite = new PGlite(join(folder, "postgres"));
  await pglite.exec(sql);
  await pglite.close();
}

describe("the migrations", () => {
  const LAST = "(SELECT max(migration_name) FROM _prisma_migrations)";

  test("that are missing are named and stay missing: a start applies them", async () => {
    await startOnce();
    await inFolder(`DELETE FROM _prisma_migrations WHERE migration_name = ${LAST}`);
    const [before] = await findings("migrations");
    expect(before).toMatchObject({ ok: "warning", what: expect.stringMatching(/^to be applied: \d{14}_\w+$/), remedy: expect.any(String) });
    expect(await findings("migrations")).toEqual([before]);
  });

  test("of a newer build are a warning", async () => {
    await startOnce();
    await inFolder(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', '0', '29990101000000_later', now())`,
    );
    expect(await findings("migrations")).toMatchObject([{ ok: "warning", what: "this build does not know: 29990101000000_later" }]);
  });

  test("from another file are a failure, as at the start", async () => {
    await startOnce();
    await inFolder(`UPDATE _prisma_migrations SET checksum = '0' WHERE migration_name = ${LAST}`);
    expect(await findings("migrations")).toMatchObject([{ ok: false, remedy: "start the build that belongs to this database" }]);
    await expect(createApp(toConfig())).rejects.toMatchObject({ code: "MIGRATION_CHANGED" });
  });
});

test("a message that has stopped is counted, with the command that sends it again", async () => {
  const [wechat, desk] = [await startWechat(), await startDesk({ key: DESK_KEY })];
  onTestFinished(async () => {
    await Promise.all([wechat.close(), desk.close()]);
  });
  const app = await createApp(toConfig());
  const address = await app.listen();
  const api: Gateway["api"] = (method, path, body, key = ADMIN_KEY) => callApi(address, method, path, body, key);
  const account = await connect({ api, wechat, desk }, "official_account", { replies: { passiveWaitMs: 0 } });
  desk.misbehave({ kind: "status", status: 400, path: /im_callback$/ });
  await account.wechat.sendText("oA", "hello");
  await eventually(
    "the message to be dead",
    () => look({ api }, account, "oA"),
    ({ messages }) => messages[0]?.state === "dead",
  );
  await app.close();

  const [stopped] = await findings("messages");
  expect(stopped).toMatchObject({ account: "shop", ok: "warning", what: "1 message is dead" });
  expect(stopped?.remedy).toContain("npx wxdesk message retry --state dead --account shop");
  await inFolder("UPDATE messages SET direction = 'outbound', state = 'failed'");
  expect(await findings("messages")).toMatchObject([{ what: "1 message is failed" }]);
});

test("a short admin key can be guessed, one that is not there yet will be made", async () => {
  expect(await findings("adminKey", { WXDESK_ADMIN_KEY: "short" })).toMatchObject([
    { ok: "warning", remedy: expect.stringContaining("long random") },
  ]);
  expect(await findings("adminKey", { WXDESK_ADMIN_KEY: "" })).toMatchObject([
    { ok: true, what: expect.stringContaining("the next start makes one") },
  ]);
});

// Root may write everywhere.
test.skipIf(process.getuid?.() === 0)("a data folder that may not be written to is a failure", async () => {
  await chmod(folder, 0o500);
  onTestFinished(() => chmod(folder, 0o700));
  expect(await findings("database")).toMatchObject([{ ok: false, what: expect.stringContaining("cannot be used (EACCES)") }]);
});

test.skipIf(!process.env.TEST_DATABASE_URL)("a server is looked at without a data folder being made", async () => {
  const database = await createTestDatabase();
  onTestFinished(database.drop);
  if (database.address.kind !== "server") throw new Error("TEST_DATABASE_URL gives a server");
  const elsewhere = join(await mkdtemp(join(tmpdir(), "wxdesk-doctor-")), "data");
  onTestFinished(() => rm(join(elsewhere, ".."), { recursive: true }));
  const settings = {
    DATABASE_URL: database.address.url,
    WXDESK_MASTER_KEY: randomBytes(32).toString("base64"),
    WXDESK_DATA_DIR: elsewhere,
  };
  const { findings: found } = await diagnoseStore(toConfig(settings));
  expect(found.map(({ name, ok }) => `${name} ${ok}`)).toEqual(["database true", "migrations true", "masterKey true", "adminKey true"]);
  expect(found[0]?.what).toMatch(/^the server of DATABASE_URL answers; it is PostgreSQL \d+/);
  expect(JSON.stringify(found)).not.toContain(new URL(settings.DATABASE_URL).pathname.slice(1));
});
