import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../../src/domain/api-key.ts";
import { EXTERNAL_SECRET_NAMES } from "../../../src/domain/external-secret-name.ts";
import type { NewAccount } from "../../../src/domain/store.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../../support/store.ts";

let testStore: TestStore;

beforeEach(async () => {
  testStore = await openTestStore();
});

afterEach(() => testStore.close());

function newApp(): NewAccount {
  const { settings, ...account } = newAccount("company");
  const wechat = { corpId: "ww0123456789abcdef", agentId: 1000002, apiBaseUrl: "http://127.0.0.1:9", timestampToleranceSeconds: 600 };
  return { ...account, settings: { ...settings, kind: "wecom", wechat } };
}

test("outside the code each platform has its own name for the platform secret", () => {
  expect(EXTERNAL_SECRET_NAMES).toEqual(["token", "encodingAesKey", "appSecret", "corpSecret", "deskKey", "pushToken"]);
});

describe.each([
  ["an Official Account", "appSecret", () => newAccount("shop")],
  ["a WeCom app", "corpSecret", newApp],
])("the platform secret of %s is stored as %s", (_what, name, make) => {
  const account = make();

  beforeEach(() => testStore.store.accounts.create(account, TESTER));

  const rowsOf = () => testStore.database.prisma.accountSecret.findMany({ where: { accountId: account.id, name } });

  test("in the row and in what its encryption is bound to, and is read by its role", async () => {
    const rows = await testStore.database.prisma.accountSecret.findMany({ where: { accountId: account.id } });
    expect(rows.map((row) => row.name).sort()).toEqual([name, "deskKey", "encodingAesKey", "pushToken", "token"]);
    const [row] = await rowsOf();
    if (row === undefined) throw new Error("there is no such row");
    const sealed = { ciphertext: Buffer.from(row.ciphertext), keyId: row.keyId };
    expect(testStore.box.open(sealed, { accountId: account.id, field: name })).toBe("app-secret");
    const stored = await testStore.store.accounts.getWithSecrets(account.id);
    expect(stored?.secrets).toEqual(account.secrets);
    expect(stored?.account.secrets.platformSecret).toMatchObject({ set: true });
    expect(stored?.credentials.platformSecret).toEqual([{ value: "app-secret", expiresAt: null }]);
  });

  test("a change and a rotation replace it, and the audit log says which it was", async () => {
    await testStore.store.accounts.update(account.id, { secrets: { platformSecret: "changed" } }, TESTER);
    const rotation = { name: "platformSecret", value: "rotated", overlapUntil: new Date(Date.now() + 3_600_000) } as const;
    await testStore.store.accounts.rotateSecret(account.id, rotation, TESTER);
    expect((await testStore.store.accounts.getWithSecrets(account.id))?.secrets).toEqual({ ...account.secrets, platformSecret: "rotated" });
    expect(await rowsOf()).toHaveLength(1);
    const audit = await testStore.store.audit.list({ accountId: account.id }, { limit: 10 }, ALL_ACCOUNTS);
    expect(audit).toMatchObject({
      items: [
        { action: "secret.rotated", subject: name },
        { action: "secret.changed", subject: name },
        { action: "account.created", subject: null },
      ],
    });
  });

  test("an old value of it that the database holds is ended under that name", async () => {
    await testStore.database.prisma.accountSecret.updateMany({
      where: { accountId: account.id, name },
      data: { expiresAt: new Date(Date.now() + 3_600_000) },
    });
    await testStore.store.accounts.revokeOldSecrets(account.id, "platformSecret", TESTER);
    expect(await rowsOf()).toEqual([]);
    const audit = await testStore.store.audit.list({ accountId: account.id }, { limit: 1 }, ALL_ACCOUNTS);
    expect(audit).toMatchObject({ items: [{ action: "secret.revoked", subject: name }] });
  });
});
