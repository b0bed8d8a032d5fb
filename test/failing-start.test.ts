import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "../src/app/app.ts";
import { openLocked } from "../src/app/open-store.ts";
import { readConfig } from "../src/config.ts";
import { wxdeskHere } from "./cli/wxdesk.ts";
import { copyDataFolder, prepareDataFolder } from "./crash/stage.ts";
import { findFreePort } from "./support/free-port.ts";
import { callApi } from "./support/gateway.ts";
import { spawnGateway } from "./support/process.ts";

prepareDataFolder();

let place: string;
/** A port that another server listens on. */
let takenPort: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "wxdesk-start-"));
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  takenPort = String((other.address() as AddressInfo).port);
  onTestFinished(async () => {
    other.close();
    await rm(place, { recursive: true, force: true });
  });
});

const toConfig = (settings: Record<string, string>) => readConfig({ WXDESK_LOG_LEVEL: "warn", WXDESK_PORT: "0", ...settings });

/** A start that fails with this code, and neither makes nor tells of a key. */
async function failToStart(settings: Record<string, string>, code: string): Promise<void> {
  const log: string[] = [];
  const logTo = { write: (line: string) => void log.push(line) };
  const starting = createApp(toConfig(settings), { logTo }).then(async (app) => {
    await app.listen().finally(() => expect(app.adminKey).toBeNull());
  });
  await expect(starting).rejects.toMatchObject({ name: "ConfigError", code });
  expect(log.join("")).not.toMatch(/wxk_|master-key\.created/);
}

/** Starts and stops a gateway. Returns the generated admin key, and the API's status for each given key and for that one. */
async function start(settings: Record<string, string>, keys: string[] = []) {
  const app = await createApp(toConfig(settings), { stopNoticeMs: 0 });
  const address = await app.listen();
  const { adminKey } = app;
  const statuses: number[] = [];
  for (const key of [...keys, ...(adminKey === null ? [] : [adminKey])])
    statuses.push((await callApi(address, "GET", "/accounts", undefined, key)).status);
  await app.close();
  return { adminKey, statuses };
}

test("the process ends with exit code 2 and one line, and prints no key", async () => {
  const folder = await copyDataFolder();
  const gateway = spawnGateway({ WXDESK_DATA_DIR: folder, WXDESK_PORT: takenPort }, place);
  expect(await gateway.exited()).toBe(2);
  expect(gateway.output).toMatch(/^LISTENER_UNAVAILABLE: .+$/m);
  expect(gateway.output).not.toMatch(/admin key|wxk_|master-key\.created|^\s+at /m);
  expect(await readdir(folder)).toEqual(["postgres"]);
});

/** A database from nothing takes seconds, and more beside other tests. */
const FIRST_START_MS_MAX = 120_000;

describe("a first start on a port that is taken spends nothing", () => {
  test(
    "where there is no data folder: there is none afterwards",
    async () => {
      const folder = join(place, "not", "yet");
      await failToStart({ WXDESK_DATA_DIR: folder, WXDESK_PORT: takenPort }, "LISTENER_UNAVAILABLE");
      expect(await readdir(place)).toEqual([]);
    },
    FIRST_START_MS_MAX,
  );

  test(
    "where the folder is there, with something of the operator's: it holds that alone",
    async () => {
      const folder = join(place, "data");
      await mkdir(folder);
      await writeFile(join(folder, "note"), "ours");
      await failToStart({ WXDESK_DATA_DIR: folder, WXDESK_PORT: takenPort }, "LISTENER_UNAVAILABLE");
      expect(await readdir(folder)).toEqual(["note"]);
    },
    FIRST_START_MS_MAX,
  );

  test("where the database is there, and nobody can log in yet: no key, no socket; the next start prints the admin key", async () => {
    const folder = await copyDataFolder();
    await failToStart({ WXDESK_DATA_DIR: folder, WXDESK_PORT: takenPort }, "LISTENER_UNAVAILABLE");
    expect(await readdir(folder)).toEqual(["postgres"]);
    expect(await start({ WXDESK_DATA_DIR: folder })).toMatchObject({ adminKey: expect.stringMatching(/^wxk_/), statuses: [200] });
  });
});

test("a new WXDESK_ADMIN_KEY counts from the first start that succeeds, not from one that fails", async () => {
  const folder = await copyDataFolder();
  const [old, next] = ["the-old-admin-key-0123456789", "the-next-admin-key-0123456789"];
  await start({ WXDESK_DATA_DIR: folder, WXDESK_ADMIN_KEY: old });
  await failToStart({ WXDESK_DATA_DIR: folder, WXDESK_ADMIN_KEY: next, WXDESK_PORT: takenPort }, "LISTENER_UNAVAILABLE");
  expect(await start({ WXDESK_DATA_DIR: folder }, [old, next])).toMatchObject({ statuses: [200, 401] });
  expect(await start({ WXDESK_DATA_DIR: folder, WXDESK_ADMIN_KEY: next }, [old, next])).toMatchObject({ statuses: [401, 200] });
});

test("a lost master key: no new one is left in its place, where its backup belongs", async () => {
  const folder = await copyDataFolder();
  const account = {
    id: "shop",
    name: "Shop",
    kind: "official_account",
    wechat: { appId: "wx0123456789abcdef", appSecret: "app-secret" },
    desk: { protocol: "udesk-message-interface", url: "http://127.0.0.1:9/im_callback", key: "desk-key" },
  };
  const environment = { WXDESK_DATA_DIR: folder };
  expect(await wxdeskHere(["account", "add", "--file", "-"], { environment, input: JSON.stringify(account) })).toMatchObject({ code: 0 });
  await rm(join(folder, "master.key"));
  await failToStart({ WXDESK_DATA_DIR: folder }, "MASTER_KEY_WRONG");
  expect(await wxdeskHere(["account", "list"], { environment })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^MASTER_KEY_WRONG/),
  });
  expect(await readdir(folder)).toEqual(["postgres"]);
});

test("a migration that was changed: nothing is added to the folder", async () => {
  const folder = await copyDataFolder();
  const { database, unlock } = await openLocked(readConfig({ WXDESK_DATA_DIR: folder }));
  await database.prisma.$executeRaw`UPDATE _prisma_migrations SET checksum = 'another'`;
  await database.close();
  await unlock();
  await failToStart({ WXDESK_DATA_DIR: folder }, "MIGRATION_CHANGED");
  expect(await readdir(folder)).toEqual(["postgres"]);
});

test("a database server that is not there, a folder that cannot be made: nothing is made", async () => {
  const folder = join(place, "data");
  const onServer = {
    DATABASE_URL: `postgresql://wxdesk:secret@127.0.0.1:${await findFreePort()}/wxdesk`,
    WXDESK_MASTER_KEY: randomBytes(32).toString("base64"),
  };
  await failToStart({ ...onServer, WXDESK_DATA_DIR: folder }, "DATABASE_UNREACHABLE");
  expect(await readdir(place)).toEqual([]);
  await writeFile(join(place, "file"), "");
  await failToStart({ WXDESK_DATA_DIR: join(place, "file", "data") }, "DATA_FOLDER_UNUSABLE");
  expect(await readdir(place)).toEqual(["file"]);
});
