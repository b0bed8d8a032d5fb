import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type OpenedStore, openStore } from "../../src/app/open-store.ts";
import { rotateMasterKey } from "../../src/app/rotate-master-key.ts";
import type { Log } from "../../src/base/log.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { beginKeyRotation } from "../../src/keys/key-rotation.ts";
import { loadOrCreateMasterKey } from "../../src/keys/master-key.ts";
import { createSecretBox } from "../../src/keys/secret-box.ts";
import { reencrypt } from "../../src/store/accounts/reencrypt.ts";
import { newAccount, TESTER } from "../support/store.ts";

const NO_LOG: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const ACCOUNTS = ["shop", "spa"];
/** Five secrets of each account, one old value in its overlap, one access token. */
const SEALED = 12;

let template: string;
let dataDir: string;
let opened: OpenedStore[] = [];

const configOf = (folder: string, settings: Record<string, string> = {}): Config =>
  readConfig({ WXDESK_DATA_DIR: folder, WXDESK_LOG_LEVEL: "silent", ...settings });

/** A real start, as far as secrets are concerned. */
async function start(config: Config): Promise<OpenedStore> {
  const store = await openStore(config, undefined, NO_LOG);
  opened.push(store);
  return store;
}

async function stop(store: OpenedStore): Promise<void> {
  opened = opened.filter((each) => each !== store);
  await store.database.close();
  await store.unlock();
}

async function fill({ store }: OpenedStore): Promise<void> {
  for (const id of ACCOUNTS) await store.accounts.create(newAccount(id), TESTER);
  const overlapUntil = new Date(Date.now() + 86_400_000);
  await store.accounts.rotateSecret("shop", { name: "token", value: "another-token", overlapUntil }, TESTER);
  await store.accessTokens.put("spa", { value: "an-access-token", expiresAt: overlapUntil });
}

/** Everything that is stored can be read, with its values. */
async function expectReadable({ store }: OpenedStore): Promise<void> {
  const { secrets } = newAccount("any");
  const shop = await store.accounts.getWithSecrets("shop");
  expect(shop?.secrets).toEqual({ ...secrets, token: "another-token" });
  expect(shop?.credentials.token?.map(({ value }) => value)).toEqual(["another-token", secrets.token]);
  expect((await store.accounts.getWithSecrets("spa"))?.secrets).toEqual(secrets);
  expect((await store.accessTokens.get("spa"))?.value).toBe("an-access-token");
}

async function keyIds({ database }: OpenedStore): Promise<string[]> {
  const rows = await database.prisma.$queryRaw<{ keyId: string }[]>`
    SELECT key_id AS "keyId" FROM account_secrets UNION SELECT key_id FROM access_tokens WHERE key_id IS NOT NULL`;
  return rows.map(({ keyId }) => keyId);
}

beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), "wxdesk-template-"));
  const store = await start(configOf(template));
  await fill(store);
  await stop(store);
});

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "wxdesk-rotate-"));
  await cp(template, dataDir, { recursive: true });
});

afterEach(async () => {
  await Promise.all(opened.map(stop));
  await rm(dataDir, { recursive: true });
});

afterAll(() => rm(template, { recursive: true }));

const keyFiles = async () => (await readdir(dataDir)).filter((name) => name.startsWith("master.key")).sort();
const keyText = (name = "master.key") => readFile(join(dataDir, name), "utf8");

describe("the key in the data folder", () => {
  test("is replaced by a new one, with which everything is encrypted anew; the old one goes", async () => {
    const before = await keyText();
    const rotation = await rotateMasterKey(configOf(dataDir), NO_LOG);
    expect(rotation).toEqual({
      keyId: expect.stringMatching(/^[0-9a-f]{8}$/),
      reencrypted: SEALED,
      next: expect.stringMatching(/A new key was made: back up .*master\.key/),
    });
    expect(await keyText()).not.toBe(before);
    expect(await keyFiles()).toEqual(["master.key"]);
    expect((await stat(join(dataDir, "master.key"))).mode & 0o777).toBe(0o600);

    const store = await start(configOf(dataDir));
    await expectReadable(store);
    expect(await keyIds(store)).toEqual([rotation.keyId]);
    const written = { actor: "cli", accountId: null, subject: rotation.keyId, detail: { reencrypted: SEALED } };
    expect(await store.database.prisma.auditEntry.findMany({ where: { action: "master-key.rotated" } })).toMatchObject([written]);
  });

  test("an interrupted rotation lets the gateway start, read all and write; the next one finishes it", async () => {
    await encryptSome(1);
    const between = await start(configOf(dataDir));
    await expectReadable(between);
    // What is written meanwhile counts too.
    await between.store.accessTokens.put("spa", { value: "an-access-token", expiresAt: new Date(Date.now() + 86_400_000) });
    await stop(between);

    const { keyId } = await rotateMasterKey(configOf(dataDir), NO_LOG);
    expect(await keyFiles()).toEqual(["master.key"]);
    const after = await start(configOf(dataDir));
    await expectReadable(after);
    expect(await keyIds(after)).toEqual([keyId]);
  });

  test("an interrupted rotation is finished with the key that it made, and says so", async () => {
    const { key } = await beginKeyRotation(dataDir);
    const { next, reencrypted } = await rotateMasterKey(configOf(dataDir), NO_LOG);
    expect({ next, reencrypted }).toEqual({
      next: expect.stringMatching(/^The rotation that was interrupted is finished/),
      reencrypted: SEALED,
    });
    expect((await keyText()).trim()).toBe(key.toString("base64"));
  });

  test("stays while a gateway is running on the folder", async () => {
    const before = await keyText();
    await start(configOf(dataDir));
    await expect(rotateMasterKey(configOf(dataDir), NO_LOG)).rejects.toMatchObject({ code: "DATA_FOLDER_IN_USE" });
    expect([await keyText(), await keyFiles()]).toEqual([before, ["master.key"]]);
  });

  test("stays when something is encrypted with a key that is not at hand", async () => {
    await rm(join(dataDir, "master.key"));
    const { key } = await loadOrCreateMasterKey(dataDir);
    await expect(rotateMasterKey(configOf(dataDir), NO_LOG)).rejects.toMatchObject({ code: "MASTER_KEY_WRONG" });
    expect([(await keyText()).trim(), await keyFiles()]).toEqual([key.toString("base64"), ["master.key"]]);
  });

  test("has to be there: a folder without one is refused, and nothing is made in it", async () => {
    const empty = join(dataDir, "empty");
    await expect(rotateMasterKey(configOf(empty), NO_LOG)).rejects.toMatchObject({ code: "MASTER_KEY_MISSING" });
    await expect(readdir(empty)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("the key in the settings", () => {
  const next = randomBytes(32).toString("base64");

  test("everything is encrypted with it; then the previous one is needed no more, and a repetition finds nothing to do", async () => {
    const previous = (await keyText()).trim();
    const rotating = configOf(dataDir, { WXDESK_MASTER_KEY: next, WXDESK_MASTER_KEY_PREVIOUS: previous });
    const between = await start(rotating);
    await expectReadable(between);
    await stop(between);

    const rotation = await rotateMasterKey(rotating, NO_LOG);
    expect(rotation).toMatchObject({ reencrypted: SEALED, next: expect.stringMatching(/Remove WXDESK_MASTER_KEY_PREVIOUS/) });
    expect(await rotateMasterKey(rotating, NO_LOG)).toEqual({ ...rotation, reencrypted: 0 });

    const alone = configOf(dataDir, { WXDESK_MASTER_KEY: next });
    const after = await start(alone);
    await expectReadable(after);
    await stop(after);
    expect(await rotateMasterKey(alone, NO_LOG)).toMatchObject({
      reencrypted: 0,
      next: expect.stringMatching(/To rotate it, put a new key/),
    });
    await expect(start(configOf(dataDir, { WXDESK_MASTER_KEY: previous }))).rejects.toMatchObject({ code: "MASTER_KEY_WRONG" });
  });

  test("without the previous one nothing is changed", async () => {
    await expect(rotateMasterKey(configOf(dataDir, { WXDESK_MASTER_KEY: next }), NO_LOG)).rejects.toMatchObject({
      code: "MASTER_KEY_WRONG",
    });
    await expectReadable(await start(configOf(dataDir)));
  });
});

/** As far as a rotation gets that ends after this many rows. */
async function encryptSome(rows: number): Promise<void> {
  const { key, previous } = await beginKeyRotation(dataDir);
  const store = await start(configOf(dataDir));
  await reencrypt(store.database.prisma, createSecretBox({ current: key, others: [previous] }), rows, TESTER);
  await stop(store);
}
