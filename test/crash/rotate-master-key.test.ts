import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type OpenedStore, openStore } from "../../src/app/open-store.ts";
import { rotateMasterKey } from "../../src/app/rotate-master-key.ts";
import { readConfig } from "../../src/config.ts";
import { newAccount, TESTER } from "../support/store.ts";

/** Five secrets each: one batch and a fifth of another one. */
const ACCOUNTS = 24;
const NO_LOG = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const BOTH = ["master.key", "master.key.previous"];

let template: string;
/** How often a whole rotation talks to the database once its key is there. */
let messages: number;

beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), "wxdesk-template-"));
  await withStore(template, async ({ store }) => {
    for (let number = 0; number < ACCOUNTS; number++) await store.accounts.create(newAccount(`a${number}`), TESTER);
  });
  const measured = await copy();
  const { ended, output } = await rotate(measured, "nowhere");
  await rm(measured, { recursive: true });
  expect(ended).toBe(0);
  messages = Number.parseInt(output, 10);
});

afterAll(() => rm(template, { recursive: true }));

test.each([
  ["before the old key is put aside", () => "link master.key.previous", ["master.key"], 1],
  ["before the new key is there", () => "rename master.key", BOTH, 1],
  ["as soon as the new key is there", () => "message 1", BOTH, 1],
  ["in the first batch", () => `message ${Math.floor(messages * 0.4)}`, BOTH, 1],
  ["in the second batch", () => `message ${Math.floor(messages * 0.95)}`, BOTH, 2],
  ["before the old key is removed", () => "rm master.key.previous", BOTH, 1],
])("a rotation that is killed %s loses no secret, and the next one finishes it", async (_when, where, files, keys) => {
  const dataDir = await copy();
  onTestFinished(() => rm(dataDir, { recursive: true }));
  expect(await rotate(dataDir, where())).toMatchObject({ ended: "SIGKILL" });
  expect(await keyFiles(dataDir)).toEqual(files);
  await withStore(dataDir, (opened) => expectReadable(opened, keys));

  await rotateMasterKey(readConfig({ WXDESK_DATA_DIR: dataDir }), NO_LOG);
  expect(await keyFiles(dataDir)).toEqual(["master.key"]);
  await withStore(dataDir, (opened) => expectReadable(opened, 1));
});

async function copy(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-kill-"));
  await cp(template, folder, { recursive: true });
  return folder;
}

/** Without the drafts that a kill may leave. */
async function keyFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => BOTH.includes(name)).sort();
}

async function withStore(dataDir: string, work: (opened: OpenedStore) => Promise<void>): Promise<void> {
  const opened = await openStore(readConfig({ WXDESK_DATA_DIR: dataDir }), undefined, NO_LOG);
  try {
    await work(opened);
  } finally {
    await opened.database.close();
    await opened.unlock();
  }
}

async function expectReadable({ store, database }: OpenedStore, keys: number): Promise<void> {
  for (const { id } of await store.accounts.list()) {
    expect((await store.accounts.getWithSecrets(id))?.secrets).toEqual(newAccount(id).secrets);
  }
  expect(await database.prisma.accountSecret.count()).toBe(ACCOUNTS * 5);
  expect(await database.prisma.accountSecret.groupBy({ by: ["keyId"] })).toHaveLength(keys);
}

/** Runs it in a process of its own, which kills itself before that step. */
async function rotate(dataDir: string, where: string): Promise<{ ended: unknown; output: string }> {
  const script = fileURLToPath(new URL("rotate-process.ts", import.meta.url));
  const env = { PATH: process.env.PATH ?? "", WXDESK_DATA_DIR: dataDir, WHERE: where };
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), script], {
    cwd: dataDir,
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code, signal] = await once(child, "close");
  return { ended: signal ?? code, output };
}
