import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { refuseSharedFolder, toFolderProblem } from "./data-folder.ts";
import { lockFolder } from "./folder-lock.ts";
import { type ClosedFiles, closeToOthers } from "./private-files.ts";

export interface HeldFolder extends ClosedFiles {
  /** Gives the folder free. */
  release(): Promise<void>;
  /** Gives it free as it was found: what a start made in it is removed, and the folder itself where there was none. */
  discard(): Promise<void>;
}

/** Files that a start makes. Nothing else is removed: it may belong to another process, or to the operator. */
const MADE_BY_START = ["postgres", "master.key", "local-api.json"];

/**
 * Makes this process the only one on a data folder, which is made when it is not there, and closes it to other users.
 * @throws ConfigError DATA_FOLDER_IN_USE, DATA_FOLDER_UNUSABLE; then the file system is as it was
 */
export async function holdFolder(folder: string): Promise<HeldFolder> {
  const firstMade = await make(folder);
  const unlock = await lockFolder(folder).catch(async (error: unknown) => {
    await removeMade(folder, firstMade);
    throw error;
  });
  const found = await readdir(folder);
  const discard = async () => {
    for (const name of MADE_BY_START.filter((name) => !found.includes(name)))
      await rm(join(folder, name), { recursive: true, force: true });
    await unlock();
    await removeMade(folder, firstMade);
  };
  try {
    return { ...(await closeToOthers(folder)), release: unlock, discard };
  } catch (error) {
    await discard();
    throw toFolderProblem(error, folder);
  }
}

/** @returns the first folder of the path that was not there; undefined when all were */
async function make(folder: string): Promise<string | undefined> {
  try {
    await refuseSharedFolder(folder);
    return await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw toFolderProblem(error, folder);
  }
}

/** From the folder upwards to the first that was made, as long as they are empty. */
async function removeMade(folder: string, firstMade: string | undefined): Promise<void> {
  if (firstMade === undefined) return;
  try {
    for (let path = resolve(folder); path.startsWith(resolve(firstMade)); path = dirname(path)) await rmdir(path);
  } catch {
    // Something else is in it by now: then it stays.
  }
}
