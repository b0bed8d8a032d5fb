import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Log } from "../base/log.ts";
import type { Config } from "../config.ts";
import { FIRST_KEY_ID, generateApiKey, hashApiKey, SETTINGS_KEY_ID } from "../domain/api-key.ts";
import { SETTINGS } from "../domain/audit.ts";
import type { SecretBox } from "../domain/secret-box.ts";
import type { ApiKeyStore, Store } from "../domain/store.ts";
import { type HeldFolder, holdFolder } from "../keys/hold-folder.ts";
import { removeLocalApi } from "../keys/local-api-file.ts";
import { proveMasterKey, readMasterKeys } from "../keys/master-keys.ts";
import type { ClosedFiles } from "../keys/private-files.ts";
import { createSecretBox } from "../keys/secret-box.ts";
import { syncTree } from "../keys/sync-folder.ts";
import { type Database, type DatabaseAddress, openDatabase } from "../store/database/database.ts";
import { migrate } from "../store/database/migrate.ts";
import { toStartProblem } from "../store/database/to-database-fault.ts";
import { createStore } from "../store/store.ts";

export interface OpenedStore {
  store: Store;
  database: Database;
  /** The data folder, when this process alone holds it: not with a database server. */
  folder: string | null;
  /**
   * Ensures that an admin key exists. The last step of a start, because it cannot be undone.
   * @returns the first admin key when it was generated now; it is shown nowhere else
   */
  admit: () => Promise<string | null>;
  /** Gives the data folder free, after the database is closed. */
  unlock: () => Promise<void>;
  /** The same for a start that fails: removes what it made in the folder. */
  discard: () => Promise<void>;
}

const ADMIN_KEY_CHARACTERS_MIN = 16;

/**
 * Opens the database, brings it up to this build, and makes sure that its secrets can be read.
 * @throws ConfigError when something is set up wrongly; then nothing stays open, and the data folder is as it was
 */
export async function openStore(config: Config, address: DatabaseAddress | undefined, log: Log): Promise<OpenedStore> {
  const { database, folder, unlock, discard, files } = await openLocked(config, address);
  try {
    reportClosed(files, config, log);
    const migrations = await migrate(database);
    if (migrations.length > 0) log.info({ migrations }, "database.migrated");
    const { createdFile, box } = await openSecretBox(config, log);
    await proveMasterKey(database, box);
    const store = createStore(database, box);
    // No other process can use this database: every claim in it is of a process that has ended.
    if (database.isExclusive) await store.queues.freeAllClaims();
    // Now that no callback waits, also what is large.
    await store.retention.reclaim().catch((error: unknown) => log.warn({ error }, "database.not-reclaimed"));
    const admit = async () => {
      const adminKey = await ensureAdminKey(store.apiKeys, config.adminKey, log).catch((error: unknown) => {
        throw toStartProblem(error);
      });
      if (createdFile !== null)
        log.warn({ file: createdFile }, "master-key.created: back this file up, stored secrets are lost without it");
      return adminKey;
    };
    return { store, database, folder, admit, unlock, discard };
  } catch (error) {
    // A database that has gone does not answer the goodbye either.
    await database.close().catch(() => {});
    await discard();
    throw toStartProblem(error);
  }
}

function reportClosed({ closed, refused }: ClosedFiles, { dataDir }: Config, log: Log): void {
  const folder = resolve(dataDir);
  if (closed > 0)
    log.warn({ folder, files: closed }, "data-folder.closed: other users of this machine could open these files, and no longer can");
  if (refused.length === 0) return;
  const remedy = "let the user that runs the gateway own the folder, on a file system that has permissions";
  const { path, code } = refused[0] ?? {};
  log.warn(
    { folder, files: refused.length, first: path, code, remedy },
    "data-folder.open: other users of this machine can open these files",
  );
}

async function openSecretBox(config: Config, log: Log): Promise<{ createdFile: string | null; box: SecretBox }> {
  const { createdFile, unfinishedFile, ...keys } = await readMasterKeys(config);
  if (unfinishedFile !== null) {
    log.warn({ file: unfinishedFile }, "master-key.rotation-unfinished: stop the gateway and run wxdesk master-key rotate, which goes on");
  }
  return { createdFile, box: createSecretBox(keys) };
}

export interface LockedDatabase extends Pick<OpenedStore, "database" | "folder" | "unlock" | "discard"> {
  files: ClosedFiles;
}

/**
 * The database that the settings name, as it is. An embedded one is held by this process until it is unlocked.
 * @throws ConfigError DATA_FOLDER_IN_USE, DATA_FOLDER_UNUSABLE; then the data folder is as it was
 */
export async function openLocked(config: Config, address?: DatabaseAddress): Promise<LockedDatabase> {
  const shared = address ?? (config.databaseUrl === undefined ? undefined : { kind: "server" as const, url: config.databaseUrl });
  if (shared !== undefined) return toLocked(await openDatabase(shared), null, NOT_HELD);
  const held = await holdFolder(config.dataDir);
  try {
    // The address in a killed process's file leads nowhere.
    await removeLocalApi(config.dataDir);
    return toLocked(await openOnDisk(embeddedFolder(config.dataDir)), config.dataDir, held);
  } catch (error) {
    await held.discard();
    throw error;
  }
}

const NOT_HELD: HeldFolder = { closed: 0, refused: [], release: async () => {}, discard: async () => {} };

function toLocked(database: Database, folder: string | null, { release, discard, ...files }: HeldFolder): LockedDatabase {
  return { database, folder, unlock: release, discard, files };
}

async function openOnDisk(folder: string): Promise<Database> {
  const isNew = !existsSync(join(folder, "PG_VERSION"));
  const database = await openDatabase({ kind: "embedded", folder });
  // From now on Postgres flushes what it writes; the files that it begins with were only copied here.
  if (isNew) await syncTree(folder);
  return database;
}

export function embeddedFolder(dataDir: string): string {
  return join(dataDir, "postgres");
}

const ADMIN = { role: "admin", accountIds: [], expiresAt: null } as const;

/** @returns the key when it was made just now */
async function ensureAdminKey(apiKeys: ApiKeyStore, given: string | undefined, log: Log): Promise<string | null> {
  if (given !== undefined) {
    const remedy = "set WXDESK_ADMIN_KEY to a long random value";
    if (given.length < ADMIN_KEY_CHARACTERS_MIN) log.warn({ remedy }, "admin-key.short: it can be guessed");
    await apiKeys.replace({ id: SETTINGS_KEY_ID, name: "WXDESK_ADMIN_KEY", ...ADMIN, hash: hashApiKey(given) }, SETTINGS);
    return null;
  }
  if ((await apiKeys.countAdmins()) > 0) return null;
  const key = generateApiKey();
  const made = await apiKeys.create({ id: FIRST_KEY_ID, name: "generated at the first start", ...ADMIN, hash: hashApiKey(key) }, SETTINGS);
  return made === null ? null : key;
}
