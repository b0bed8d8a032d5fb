import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Config } from "./config.ts";
import type { Log } from "./domain/log.ts";
import type { ApiKeyStore, Store } from "./domain/store.ts";
import { lockFolder } from "./lib/folder-lock.ts";
import { removeLocalApi } from "./lib/local-api-file.ts";
import { loadOrCreateMasterKey } from "./lib/master-key.ts";
import { createSecretBox } from "./lib/secret-box.ts";
import { type Database, type DatabaseAddress, openDatabase, toConnectionProblem } from "./store/database.ts";
import { migrate } from "./store/migrate.ts";
import { createStore } from "./store/store.ts";

export interface OpenedStore {
  store: Store;
  database: Database;
  /** The first admin key when this start generated it; it is shown nowhere else. */
  adminKey: string | null;
  /** The data folder, when this process alone holds it: not with a database server. */
  folder: string | null;
  /** Gives the data folder free, after the database is closed. */
  unlock: () => Promise<void>;
}

const ADMIN_KEY_CHARACTERS_MIN = 16;

/**
 * Opens the database, brings it up to this build, and makes sure that its secrets can be read and somebody can log in.
 * @throws ConfigError when something is set up wrongly; then nothing stays open
 */
export async function openStore(config: Config, address: DatabaseAddress | undefined, log: Log): Promise<OpenedStore> {
  const { database, folder, unlock } = await openLocked(config, address);
  try {
    const migrations = await migrate(database);
    if (migrations.length > 0) log.info({ migrations }, "database.migrated");
    const store = createStore(database, await openSecretBox(config, log));
    // Nobody else can hold anything: what is claimed was claimed by a process that is no more.
    if (database.isExclusive) await store.outbox.releaseEverything();
    await proveMasterKey(store);
    return { store, database, adminKey: await ensureAdminKey(store.apiKeys, config.adminKey, log), folder, unlock };
  } catch (error) {
    // A database that has gone does not answer the goodbye either.
    await database.close().catch(() => {});
    await unlock();
    throw toConnectionProblem(error);
  }
}

/**
 * The database alone, as it is. An embedded one is held by this process until it is unlocked.
 * @throws ConfigError DATA_FOLDER_IN_USE
 */
export async function openLocked(config: Config, address?: DatabaseAddress): Promise<Pick<OpenedStore, "database" | "folder" | "unlock">> {
  const shared = address ?? (config.databaseUrl === undefined ? undefined : { kind: "server" as const, url: config.databaseUrl });
  if (shared !== undefined) return { database: await openDatabase(shared), folder: null, unlock: async () => {} };
  const unlock = await lockFolder(config.dataDir);
  try {
    // What a process that was killed left behind leads nowhere.
    await removeLocalApi(config.dataDir);
    const database = await openDatabase({ kind: "embedded", folder: join(config.dataDir, "postgres") });
    return { database, folder: config.dataDir, unlock };
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function openSecretBox({ masterKey, previousMasterKey, dataDir }: Config, log: Log) {
  const previous = previousMasterKey && { previous: previousMasterKey };
  if (masterKey !== undefined) return createSecretBox({ current: masterKey, ...previous });
  const { key, created } = await loadOrCreateMasterKey(dataDir);
  const file = join(dataDir, "master.key");
  if (created) log.warn({ file }, "master-key.created: back this file up, stored secrets are lost without it");
  return createSecretBox({ current: key, ...previous });
}

/** A wrong key shows at the start, not at the first message. */
async function proveMasterKey({ accounts }: Store): Promise<void> {
  const [first] = await accounts.list();
  if (first !== undefined) await accounts.getWithSecrets(first.id);
}

const ADMIN = { role: "admin", accountIds: [], expiresAt: null } as const;

/** @returns the key when it was made just now */
async function ensureAdminKey(apiKeys: ApiKeyStore, given: string | undefined, log: Log): Promise<string | null> {
  const hash = (key: string) => createHash("sha256").update(key).digest("hex");
  if (given !== undefined) {
    const remedy = "set WXDESK_ADMIN_KEY to a long random value";
    if (given.length < ADMIN_KEY_CHARACTERS_MIN) log.warn({ remedy }, "admin-key.short: it can be guessed");
    await apiKeys.replace({ id: "key_settings", name: "WXDESK_ADMIN_KEY", ...ADMIN, hash: hash(given) });
    return null;
  }
  if ((await apiKeys.countAdmins()) > 0) return null;
  const key = `wxk_${randomBytes(24).toString("base64url")}`;
  const isOurs = await apiKeys.create({ id: "key_first", name: "generated at the first start", ...ADMIN, hash: hash(key) });
  return isOurs ? key : null;
}
