import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ConfigError } from "../base/errors.ts";

/** By the system's code; what has none here is no matter of the folder. */
const STICKY = 0o1000;
const OTHER_FOLDER = "name another folder in WXDESK_DATA_DIR";
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["EEXIST", `a file has this name: ${OTHER_FOLDER}`],
  ["ENOTDIR", `a file is on the way to it: ${OTHER_FOLDER}`],
  ["EISDIR", "a folder has the name of one of its files: remove it"],
  ["EACCES", "let the user that runs the gateway read and write it, or run this as that user"],
  ["EPERM", "let the user that runs the gateway read and write it, or run this as that user"],
  ["EROFS", `it is on a read-only file system: ${OTHER_FOLDER}`],
  ["ENOSPC", `its disk is full: make room, or ${OTHER_FOLDER}`],
  ["EDQUOT", `its disk is full: make room, or ${OTHER_FOLDER}`],
  ["ENAMETOOLONG", `its path is too long: ${OTHER_FOLDER}`],
  ["ELOOP", `its path leads in a circle: ${OTHER_FOLDER}`],
]);

/** The same error, or, when it is the system's about the data folder, what an operator can do about it: ConfigError DATA_FOLDER_UNUSABLE. */
export function toFolderProblem(error: unknown, folder: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const remedy = error instanceof ConfigError ? undefined : REMEDIES.get(code);
  if (remedy === undefined) return error;
  return new ConfigError("DATA_FOLDER_UNUSABLE", `the data folder ${folder} cannot be used (${code}); ${remedy}`, { cause: error });
}

/**
 * Looks whether the folder can be used, or made where it is not there yet, and makes nothing.
 * @throws ConfigError DATA_FOLDER_UNUSABLE
 */
export async function proveFolder(folder: string): Promise<void> {
  try {
    await refuseSharedFolder(folder);
    await prove(resolve(folder));
  } catch (error) {
    throw toFolderProblem(error, folder);
  }
}

/**
 * Closing a folder that all users share, such as /tmp, would take it from them.
 * @throws ConfigError DATA_FOLDER_UNUSABLE
 */
export async function refuseSharedFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found === null || (found.mode & STICKY) === 0) return;
  throw new ConfigError("DATA_FOLDER_UNUSABLE", `${folder} is a folder that all users of this machine share; ${OTHER_FOLDER}, of its own`);
}

async function prove(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return null;
  });
  if (found === null) return prove(dirname(path));
  if (!found.isDirectory()) throw Object.assign(new Error("a file has this name"), { code: "EEXIST" });
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
}
