import type { Stats } from "node:fs";
import { chmod, lstat, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";

/** The permission bits of group and others. */
export const OTHERS = 0o077;

/** Windows has no such bits. */
const HAS_MODES = process.platform !== "win32";

/** Files that a start makes in a data folder. Before there is a database, nothing else in it is known to be ours. */
const OURS = /^(postgres$|master\.key|local-api\.json|gateway-\w+\.sock$)/;

/** The data folder and everything in it that group or others have any permission for. Changes nothing. */
export async function findOpenToOthers(dataDir: string): Promise<string[]> {
  if (!HAS_MODES) return [];
  // The mode of a link means nothing: it is what it leads to that is closed.
  const folder = await realpath(dataDir);
  const names = await readdir(folder);
  const isOurs = names.includes("postgres") ? () => true : (name: string) => OURS.test(name);
  const inside = await Promise.all(names.filter(isOurs).map((name) => findOpen(join(folder, name))));
  return [...((await isOpen(folder)) ? [folder] : []), ...inside.flat()];
}

export interface ClosedFiles {
  /** How many are closed now. */
  closed: number;
  /** Those that the system does not let us close, and why: files of another user, a file system without permissions. */
  refused: { path: string; code: string }[];
}

/** Takes every permission of group and others from a data folder and from everything in it. Done twice, it changes nothing. */
export async function closeToOthers(folder: string): Promise<ClosedFiles> {
  const refused: ClosedFiles["refused"] = [];
  const open = await findOpenToOthers(folder);
  for (const path of open) {
    const code = await close(path);
    if (code !== null) refused.push({ path, code });
  }
  return { closed: open.length - refused.length, refused };
}

async function close(path: string): Promise<string | null> {
  try {
    const found = await look(path);
    if (found !== null) await chmod(path, found.mode & 0o7777 & ~OTHERS);
    return null;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "unknown";
  }
}

async function findOpen(path: string): Promise<string[]> {
  const found = await look(path);
  // The target of a link inside the folder is not ours.
  if (found === null || found.isSymbolicLink()) return [];
  const names = found.isDirectory() ? await list(path) : [];
  const inside = await Promise.all(names.map((name) => findOpen(join(path, name))));
  return [...((found.mode & OTHERS) === 0 ? [] : [path]), ...inside.flat()];
}

/** Nothing of a folder that we may not look into, such as lost+found: it is not ours. */
async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EACCES" && error.code !== "EPERM" && error.code !== "ENOENT") throw error;
    return [];
  });
}

async function isOpen(path: string): Promise<boolean> {
  return (((await look(path))?.mode ?? 0) & OTHERS) !== 0;
}

/** Null when it has just been removed, as drafts and sockets of other processes are. */
async function look(path: string): Promise<Stats | null> {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return null;
  });
}
