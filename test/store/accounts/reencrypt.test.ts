import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSecretBox } from "../../../src/keys/secret-box.ts";
import { listKeys, reencrypt } from "../../../src/store/accounts/reencrypt.ts";
import { type Database, openDatabase } from "../../../src/store/database/database.ts";
import { createStore } from "../../../src/store/store.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/gateway.ts";
import { newAccount, TESTER } from "../../support/store.ts";

const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
const before = createSecretBox({ current: oldKey });
const after = createSecretBox({ current: newKey, others: [oldKey] });

let testDatabase: TestDatabase;
let database: Database;

beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = await openDatabase(testDatabase.address);
  for (const id of ["shop", "spa"]) await createStore(database, before).accounts.create(newAccount(id), TESTER);
});

afterEach(async () => {
  await database.close();
  await testDatabase.drop();
});

test("goes through all in batches, and says when nothing is left", async () => {
  const rounds: number[] = [];
  for (;;) {
    const { found, reencrypted } = await reencrypt(database.prisma, after, 4, TESTER);
    expect(reencrypted).toBe(found);
    if (found === 0) break;
    rounds.push(found);
  }
  expect(rounds).toEqual([4, 4, 2]);
  expect(await listKeys(database.prisma)).toEqual([{ keyId: after.keyId, accountIds: ["shop", "spa"] }]);
  const { accounts } = createStore(database, createSecretBox({ current: newKey }));
  for (const id of ["shop", "spa"]) expect((await accounts.getWithSecrets(id))?.secrets).toEqual(newAccount(id).secrets);
});

test("an access token that cannot be read is dropped, one that can is kept", async () => {
  const expiresAt = new Date(Date.now() + 60_000);
  await createStore(database, before).accessTokens.put("shop", { value: "readable", expiresAt });
  await createStore(database, createSecretBox({ current: randomBytes(32) })).accessTokens.put("spa", { value: "unreadable", expiresAt });
  await reencrypt(database.prisma, after, 100, TESTER);
  const { accessTokens } = createStore(database, createSecretBox({ current: newKey }));
  expect(await accessTokens.get("shop")).toMatchObject({ value: "readable" });
  expect(await accessTokens.get("spa")).toBeNull();
  expect(await accessTokens.lease("spa", 1_000)).toBe(true);
  expect(await reencrypt(database.prisma, after, 100, TESTER)).toEqual({ found: 0, reencrypted: 0 });
});

test("a secret that cannot be read ends it, and nothing of the batch has changed", async () => {
  const row = await database.prisma.accountSecret.findFirstOrThrow({ where: { accountId: "spa", name: "deskKey" } });
  await database.prisma.accountSecret.update({ where: { id: row.id }, data: { ciphertext: Uint8Array.from(randomBytes(40)) } });
  await expect(reencrypt(database.prisma, after, 100, TESTER)).rejects.toMatchObject({
    code: "CIPHERTEXT_INVALID",
    message: expect.stringMatching(/deskKey of account "spa" .*set it anew/),
  });
  expect(await listKeys(database.prisma)).toEqual([{ keyId: before.keyId, accountIds: ["shop", "spa"] }]);
});

describe.runIf(process.env.TEST_DATABASE_URL)("beside a running gateway", () => {
  test("a secret that the gateway changes in the same moment stays as the gateway made it", async () => {
    if (testDatabase.address.kind !== "server") throw new Error("this test needs a server");
    const gateway = new pg.Client({ connectionString: testDatabase.address.url });
    await gateway.connect();
    try {
      const { ciphertext, keyId } = after.seal("changed-meanwhile", { accountId: "shop", field: "token" });
      await gateway.query("BEGIN");
      await gateway.query("UPDATE account_secrets SET ciphertext = $1, key_id = $2 WHERE account_id = 'shop' AND name = 'token'", [
        Buffer.from(ciphertext),
        keyId,
      ]);
      const rotation = reencrypt(database.prisma, after, 100, TESTER);
      const waiting = () => database.prisma.$queryRaw<unknown[]>`SELECT 1 FROM pg_locks WHERE NOT granted`;
      await eventually("the wait for the gateway's row", waiting, ({ length }) => length > 0, 4_000);
      await gateway.query("COMMIT");
      expect(await rotation).toEqual({ found: 10, reencrypted: 9 });
    } finally {
      await gateway.end();
    }
    const shop = await createStore(database, createSecretBox({ current: newKey })).accounts.getWithSecrets("shop");
    expect(shop?.secrets).toEqual({ ...newAccount("shop").secrets, token: "changed-meanwhile" });
  });
});
