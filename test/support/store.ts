import { createHash, randomBytes } from "node:crypto";
import type { SecretBox } from "../../src/domain/secret-box.ts";
import type { NewAccount, Store } from "../../src/domain/store.ts";
import { createSecretBox } from "../../src/keys/secret-box.ts";
import { type Database, type DatabaseAddress, openDatabase } from "../../src/store/database/database.ts";
import { createStore } from "../../src/store/store.ts";
import { createTestDatabase } from "./database.ts";

/** Who changes things in tests. */
export const TESTER = { id: "key_tester", name: "tester" } as const;

export interface TestStore {
  store: Store;
  box: SecretBox;
  database: Database;
  /** For a session of the test's own. */
  address: DatabaseAddress;
  close(): Promise<void>;
}

/** The real store on a database of its own. */
export async function openTestStore(): Promise<TestStore> {
  const testDatabase = await createTestDatabase();
  const database = await openDatabase(testDatabase.address);
  const box = createSecretBox({ current: randomBytes(32) });
  return {
    store: createStore(database, box),
    box,
    database,
    address: testDatabase.address,
    close: async () => {
      await database.close();
      await testDatabase.drop();
    },
  };
}

/** An Official Account with everything set; each id is an app of its own. */
export function newAccount(id: string): NewAccount {
  return {
    id,
    name: `Account ${id}`,
    settings: {
      kind: "official_account",
      wechat: { appId: toAppId(id), encryption: "safe", apiBaseUrl: "http://127.0.0.1:9", timestampToleranceSeconds: 600 },
      desk: {
        protocol: "udesk-message-interface",
        url: "http://127.0.0.1:9/spa1/im_callback",
        timeoutMs: 4_000,
        identity: "empty",
        requireSign: false,
        types: {},
      },
      replies: { async: true, notices: "changes", passiveWaitMs: 4_500 },
    },
    secrets: {
      token: "token1234",
      encodingAesKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
      platformSecret: "app-secret",
      deskKey: "desk-key",
      pushToken: "push-token",
    },
  };
}

function toAppId(id: string): string {
  return `wx${createHash("sha256").update(id).digest("hex").slice(0, 16)}`;
}
