import { chmod, lstat, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "../src/app/app.ts";
import { rotateMasterKey } from "../src/app/rotate-master-key.ts";
import { readConfig } from "../src/config.ts";
import { diagnose } from "../src/doctor/diagnose.ts";
import { wxdeskHere } from "./cli/wxdesk.ts";
import { copyDataFolder, prepareDataFolder } from "./crash/stage.ts";
import { ADMIN_KEY } from "./support/gateway.ts";

const UMASK = process.umask();

prepareDataFolder();
// Takes nothing away: what is closed then was closed on purpose.
beforeEach(() => void process.umask(0));
afterEach(() => void process.umask(UMASK));

async function makePlace(): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), "wxdesk-modes-"));
  onTestFinished(() => rm(place, { recursive: true, force: true }));
  return place;
}

/** The folder and everything below it with a permission for group or others, with its mode; and the count of all paths. */
async function openToOthers(folder: string): Promise<{ open: string[]; count: number }> {
  const inside = (await readdir(folder, { recursive: true })).map((name) => join(folder, name));
  const found = await Promise.all([folder, ...inside].map(async (path) => ({ path, mode: (await lstat(path)).mode & 0o777 })));
  return { open: found.filter(({ mode }) => mode & 0o077).map(({ path, mode }) => `${path} ${mode.toString(8)}`), count: found.length };
}

async function openEverything(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) await chmod(join(folder, name), 0o777);
  await chmod(folder, 0o777);
}

/** A database from nothing takes seconds, and more beside other tests. */
const FIRST_START_MS_MAX = 120_000;

const settings = (folder: string) => ({ WXDESK_PORT: "0", WXDESK_DATA_DIR: folder, WXDESK_ADMIN_KEY: ADMIN_KEY });

async function startGateway(folder: string) {
  const log: string[] = [];
  const logTo = { write: (line: string) => void log.push(line) };
  const app = await createApp(readConfig({ ...settings(folder), WXDESK_LOG_LEVEL: "warn" }), { stopNoticeMs: 0, logTo });
  await app.listen();
  return { stop: app.close, log: () => log.join("") };
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describe.skipIf(process.platform === "win32")("whatever the umask, nobody else may open", () => {
  test(
    "a data folder that the gateway makes, its database, keys and sockets",
    async () => {
      const place = await makePlace();
      const folder = join(place, "not", "yet");
      const gateway = await startGateway(folder);
      expect(await openToOthers(join(place, "not"))).toMatchObject({ open: [], count: expect.toSatisfy((count) => count > 900) });
      expect(await readdir(folder)).toEqual(expect.arrayContaining([expect.stringMatching(/\.sock$/), "local-api.json", "master.key"]));
      await gateway.stop();
      expect(await openToOthers(folder)).toMatchObject({ open: [] });
      expect(gateway.log()).not.toContain("data-folder");
    },
    FIRST_START_MS_MAX,
  );

  test("a data folder of before: it is closed at the next start, which says so once", async () => {
    const real = await copyDataFolder();
    await openEverything(real);
    const folder = join(await makePlace(), "link");
    await symlink(real, folder);
    const first = await startGateway(folder);
    expect(await openToOthers(real)).toMatchObject({ open: [] });
    await first.stop();
    expect(first.log().match(/data-folder\.closed/g)).toHaveLength(1);
    const second = await startGateway(folder);
    await second.stop();
    expect(second.log()).not.toContain("data-folder");
  });

  test(
    "what the command line makes there, in its own process",
    async () => {
      const place = await makePlace();
      const [migrated, used] = [join(place, "migrated"), join(place, "used")];
      expect(await wxdeskHere(["migrate"], { environment: settings(migrated) })).toMatchObject({ code: 0 });
      expect(await wxdeskHere(["account", "list"], { environment: settings(used) })).toMatchObject({ code: 0 });
      await rotateMasterKey(readConfig(settings(used)), SILENT);
      for (const folder of [migrated, used]) expect(await openToOthers(folder)).toMatchObject({ open: [] });
    },
    FIRST_START_MS_MAX,
  );

  test("and doctor says so of a folder that is open, and closes nothing", async () => {
    const folder = await copyDataFolder();
    await openEverything(folder);
    const { count } = await openToOthers(folder);
    const find = async () => (await diagnose(settings(folder), null)).find(({ name }) => name === "dataFolder");
    expect(await find()).toMatchObject({
      ok: "warning",
      what: expect.stringContaining(`${count} `),
      remedy: expect.stringContaining("start"),
    });
    expect((await openToOthers(folder)).open.length).toBeGreaterThan(900);
    expect(await wxdeskHere(["account", "list"], { environment: settings(folder) })).toMatchObject({ code: 0 });
    expect(await find()).toBeUndefined();
  });
});

test("a folder that all users share is refused instead of closed", async () => {
  const place = await makePlace();
  await chmod(place, 0o1777);
  const ended = await wxdeskHere(["account", "list"], { environment: settings(place) });
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^DATA_FOLDER_UNUSABLE: .*share.*WXDESK_DATA_DIR/) });
  expect((await lstat(place)).mode & 0o7777).toBe(0o1777);
  expect(await readdir(place)).toEqual([]);
});
