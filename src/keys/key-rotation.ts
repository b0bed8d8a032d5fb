import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../base/errors.ts";
import { loadMasterKey, masterKeyFile, newMasterKey, previousKeyFile, replaceMasterKey, writeMasterKey } from "./master-key.ts";
import { syncFolder } from "./sync-folder.ts";

/*
 * Rotation of the key in the data folder. There is no instant in which a key that something is encrypted with is in no file:
 *
 *   master.key   master.key.previous
 *   old          –                     before
 *   old          old                   nothing has changed yet
 *   new          old                   what is written uses the new one; the rest is being encrypted anew
 *   new          –                     after
 *
 * Stopped anywhere, a gateway starts with the files as they are, and the next rotation goes on from there. Only whoever holds the lock
 * of the folder may do it.
 */

/**
 * Makes a new key, or finds the one that an interrupted rotation made.
 * @throws ConfigError MASTER_KEY_MISSING when the folder has no key to rotate
 */
export async function beginKeyRotation(dataDir: string): Promise<{ key: Buffer; previous: Buffer; isResumed: boolean }> {
  const path = masterKeyFile(dataDir);
  const old = await requireMasterKey(dataDir);
  const previous = await loadMasterKey(previousKeyFile(dataDir));
  if (previous !== null && !previous.equals(old)) return { key: old, previous, isResumed: true };
  await removeDrafts(dataDir);
  await writeMasterKey(previousKeyFile(dataDir), old);
  const key = newMasterKey();
  await replaceMasterKey(path, key);
  return { key, previous: old, isResumed: false };
}

/** Removes the old key. Call it when nothing is encrypted with it any more, and that is on the disk. */
export async function endKeyRotation(dataDir: string): Promise<void> {
  const path = previousKeyFile(dataDir);
  await rm(path, { force: true });
  await syncFolder(path);
}

/** @throws ConfigError MASTER_KEY_MISSING */
export async function requireMasterKey(dataDir: string): Promise<Buffer> {
  const key = await loadMasterKey(masterKeyFile(dataDir));
  if (key !== null) return key;
  const remedy = "check WXDESK_DATA_DIR; a gateway that starts there makes one";
  throw new ConfigError(
    "MASTER_KEY_MISSING",
    `there is no master key to rotate in ${dataDir}, and WXDESK_MASTER_KEY is not set; ${remedy}`,
  );
}

/** A crash may leave a draft behind: a key that was never used. */
async function removeDrafts(dataDir: string): Promise<void> {
  const drafts = (await readdir(dataDir)).filter((name) => /^master\.key(\.previous)?\.[0-9a-f]{8}-[0-9a-f-]{27}$/.test(name));
  for (const draft of drafts) await rm(join(dataDir, draft), { force: true });
}
