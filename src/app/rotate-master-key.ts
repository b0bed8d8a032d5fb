import type { Log } from "../base/log.ts";
import type { Config } from "../config.ts";
import type { SecretBox } from "../domain/secret-box.ts";
import { beginKeyRotation, endKeyRotation, requireMasterKey } from "../keys/key-rotation.ts";
import { masterKeyFile } from "../keys/master-key.ts";
import { proveMasterKey, readMasterKeys } from "../keys/master-keys.ts";
import { createSecretBox } from "../keys/secret-box.ts";
import { syncTree } from "../keys/sync-folder.ts";
import { reencrypt } from "../store/accounts/reencrypt.ts";
import type { Database } from "../store/database/database.ts";
import { migrate } from "../store/database/migrate.ts";
import { toStartProblem } from "../store/database/to-database-fault.ts";
import { createStore } from "../store/store.ts";
import { commandLineActor } from "./local-key.ts";
import { embeddedFolder, openLocked } from "./open-store.ts";

export interface MasterKeyRotation {
  /** Names the key that everything is encrypted with now. */
  keyId: string;
  /** How many stored values were encrypted anew; 0: all of them had this key. */
  reencrypted: number;
  /** What is to be done now, in plain sentences for the operator. */
  next: string;
}

/** Small enough that a row is never locked for long while a gateway runs. */
const BATCH = 100;
const KEEP_FOR_BACKUPS = "Keep the old key in a safe place for as long as you keep backups of the database from before.";

/**
 * Encrypts everything stored with the current master key. Stopped anywhere, it is started again and goes on; with nothing left to do
 * it changes nothing.
 *
 * With WXDESK_MASTER_KEY set, that is the current key and WXDESK_MASTER_KEY_PREVIOUS opens what is old; gateways on a server may run.
 * Without it the key is a file in the data folder, and a new one is made, or that of an interrupted rotation is used; the gateway has to be
 * stopped.
 * @throws ConfigError MASTER_KEY_WRONG, MASTER_KEY_MISSING, DATA_FOLDER_IN_USE, DATABASE_UNREACHABLE
 */
export async function rotateMasterKey(config: Config, log: Log): Promise<MasterKeyRotation> {
  const rotation = config.masterKey === undefined ? await rotateKeyFile(config) : await followSettings(config);
  log.info({ keyId: rotation.keyId, reencrypted: rotation.reencrypted }, "master-key.rotated");
  return rotation;
}

async function followSettings(config: Config): Promise<MasterKeyRotation> {
  const box = createSecretBox(await readMasterKeys(config));
  const reencrypted = await withDatabase(config, (database) => reencryptAll(database, box));
  const next =
    config.previousMasterKey === undefined
      ? "Everything is encrypted with WXDESK_MASTER_KEY. To rotate it, put a new key there and this one into WXDESK_MASTER_KEY_PREVIOUS, and run this again (docs/secrets.md)."
      : `Everything is encrypted with WXDESK_MASTER_KEY. Remove WXDESK_MASTER_KEY_PREVIOUS from the settings of every process. ${KEEP_FOR_BACKUPS}`;
  return { keyId: box.keyId, reencrypted, next };
}

async function rotateKeyFile(config: Config): Promise<MasterKeyRotation> {
  await requireMasterKey(config.dataDir);
  const { box, reencrypted, isResumed } = await withDatabase(
    config,
    async (database) => {
      // A database that cannot be read with the keys at hand must not get one more.
      const old = await readMasterKeys(config);
      await proveMasterKey(database, createSecretBox(old));
      const { key, previous, isResumed } = await beginKeyRotation(config.dataDir);
      const box = createSecretBox({ current: key, others: [previous, ...(old.others ?? [])] });
      return { box, reencrypted: await reencryptAll(database, box), isResumed };
    },
    () => finish(config),
  );
  const what = isResumed ? "The rotation that was interrupted is finished" : "A new key was made";
  const next = `${what}: back up ${masterKeyFile(config.dataDir)}, then start the gateway. ${KEEP_FOR_BACKUPS}`;
  return { keyId: box.keyId, reencrypted, next };
}

/** The old key goes only after the database is on the disk, whatever wrote its files: a version before this one flushed nothing. */
async function finish({ dataDir }: Config): Promise<void> {
  await syncTree(embeddedFolder(dataDir));
  await endKeyRotation(dataDir);
}

/** @returns how many values were encrypted anew */
async function reencryptAll(database: Database, box: SecretBox): Promise<number> {
  // What counts for nothing any more needs no key.
  await createStore(database, box).retention.removeExpiredSecrets();
  await proveMasterKey(database, box);
  let total = 0;
  for (;;) {
    const { found, reencrypted } = await reencrypt(database.prisma, box, BATCH, commandLineActor());
    total += reencrypted;
    if (found === 0) return total;
  }
}

/** `afterwards` runs when the work is done and the database closed, while the data folder is still locked. */
async function withDatabase<T>(config: Config, work: (database: Database) => Promise<T>, afterwards = async () => {}): Promise<T> {
  const { database, unlock } = await openLocked(config);
  try {
    const result = await withClosing(database, work);
    await afterwards();
    return result;
  } catch (error) {
    throw toStartProblem(error);
  } finally {
    await unlock();
  }
}

async function withClosing<T>(database: Database, work: (database: Database) => Promise<T>): Promise<T> {
  try {
    await migrate(database);
    return await work(database);
  } finally {
    await database.close();
  }
}
