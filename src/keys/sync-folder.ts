import { open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Puts on the disk which files the folder of `path` has. A file that is written is not safe before its name is. */
export async function syncFolder(path: string): Promise<void> {
  await sync(dirname(path));
}

/** Puts everything in a folder on the disk, whoever wrote it. */
export async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() || entry.isDirectory()) await sync(join(entry.parentPath, entry.name));
  }
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  // Windows opens no folders, and refuses to flush what is open for reading.
  if (process.platform === "win32") return;
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
