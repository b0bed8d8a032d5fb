import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type OpenedStore, openStore } from "../../src/app/open-store.ts";
import type { Log } from "../../src/base/log.ts";
import { readConfig } from "../../src/config.ts";
import { createSecretBox } from "../../src/keys/secret-box.ts";
import { type Database, openDatabase } from "../../src/store/database/database.ts";
import { createStore } from "../../src/store/store.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { newAccount, TESTER } from "../support/store.ts";

const NO_LOG: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let testDatabase: TestDatabase;
let database: Database;
let opened: OpenedStore | null;
const [ours, theirs, lost] = [randomBytes(32), randomBytes(32), randomBytes(32)];

beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = await openDatabase(testDatabase.address);
  opened = null;
});

afterEach(async () => {
  await opened?.database.close();
  await database.close();
  await testDatabase.drop();
});

/** The store of a process with this key. */
const storeWith = (key: Buffer) => createStore(database, createSecretBox({ current: key }));

async function start(current: Buffer, previous?: Buffer): Promise<OpenedStore> {
  const settings = {
    WXDESK_MASTER_KEY: current.toString("base64"),
    WXDESK_ADMIN_KEY: "admin-key-of-the-tests-0123456789",
    ...(previous && { WXDESK_MASTER_KEY_PREVIOUS: previous.toString("base64") }),
  };
  opened = await openStore(readConfig(settings), testDatabase.address, NO_LOG);
  return opened;
}

describe("a start", () => {
  test("with another key than the stored secrets have is refused, and says which key is missing and where to put it", async () => {
    await storeWith(lost).accounts.create(newAccount("shop"), TESTER);
    const { keyId } = createSecretBox({ current: lost });
    await expect(start(ours)).rejects.toMatchObject({
      name: "ConfigError",
      code: "MASTER_KEY_WRONG",
      message: expect.stringMatching(
        new RegExp(`${keyId} \\(account "shop"\\); start with that key in WXDESK_MASTER_KEY, or in WXDESK_MASTER_KEY_PREVIOUS`),
      ),
    });
  });

  test("is refused when a single account has another key, whichever it is, and names those accounts", async () => {
    for (const id of ["a", "b"]) await storeWith(ours).accounts.create(newAccount(id), TESTER);
    await storeWith(theirs).accounts.create(newAccount("c"), TESTER);
    for (const id of ["d", "e", "f", "g"]) await storeWith(lost).accounts.create(newAccount(id), TESTER);
    const refusal = await start(ours, theirs).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "MASTER_KEY_WRONG", message: expect.stringMatching(/\(accounts "d", "e", "f" and 1 more\)/) });
    expect(String(refusal)).not.toMatch(/"[abc]"/);
  });

  test("reads accounts of both keys during a rotation", async () => {
    await storeWith(ours).accounts.create(newAccount("a"), TESTER);
    await storeWith(theirs).accounts.create(newAccount("b"), TESTER);
    const { store } = await start(ours, theirs);
    for (const id of ["a", "b"]) expect((await store.accounts.getWithSecrets(id))?.secrets).toEqual(newAccount(id).secrets);
  });

  test("takes an access token of an unknown key for none: another one can be fetched", async () => {
    await storeWith(ours).accounts.create(newAccount("shop"), TESTER);
    const expiresAt = new Date(Date.now() + 60_000);
    await storeWith(lost).accessTokens.put("shop", { value: "unreadable", expiresAt });
    const { store } = await start(ours);
    expect(await store.accessTokens.get("shop")).toBeNull();
    await store.accessTokens.put("shop", { value: "another", expiresAt });
    expect((await store.accessTokens.get("shop"))?.value).toBe("another");
  });

  test("does not mind an old value of an unknown key whose overlap is over", async () => {
    await storeWith(ours).accounts.create(newAccount("shop"), TESTER);
    await storeWith(lost).accounts.create(newAccount("gone"), TESTER);
    const old = { accountId: "shop", expiresAt: new Date(Date.now() - 1) };
    await database.prisma.accountSecret.updateMany({ where: { accountId: "gone" }, data: old });
    await database.prisma.account.delete({ where: { id: "gone" } });
    const { store } = await start(ours);
    expect((await store.accounts.getWithSecrets("shop"))?.secrets).toEqual(newAccount("shop").secrets);
  });
});
