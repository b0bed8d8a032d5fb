import { randomBytes, randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../base/errors.ts";
import { toFolderProblem } from "./data-folder.ts";
import { syncFolder } from "./sync-folder.ts";

const KEY_BYTES = 32;

export function masterKeyFile(dataDir: string): string {
  return join(dataDir, "master.key");
}

/** The key before a rotation, there only until everything is encrypted with the new one. */
export function previousKeyFile(dataDir: string): string {
  return join(dataDir, "master.key.previous");
}

export interface GeneratedKeys {
  key: Buffer;
  /** Only while a rotation is unfinished: some of the database may still be encrypted with it. */
  previous: Buffer | null;
  created: boolean;
}

/**
 * The key in `<dataDir>/master.key`, made at the first call. Processes that call at the same time get the same key.
 * @throws ConfigError MASTER_KEY_WRONG when a file holds anything else; it is never overwritten. DATA_FOLDER_UNUSABLE
 */
export async function loadOrCreateMasterKey(dataDir: string): Promise<GeneratedKeys> {
  try {
    return await loadOrCreate(dataDir);
  } catch (error) {
    throw toFolderProblem(error, dataDir);
  }
}

async function loadOrCreate(dataDir: string): Promise<GeneratedKeys> {
  const path = masterKeyFile(dataDir);
  const previous = await loadMasterKey(previousKeyFile(dataDir));
  const existing = await loadMasterKey(path);
  if (existing) return { key: existing, previous, created: false };
  await mkdir(dataDir, { recursive: true });
  const created = await writeMasterKey(path, newMasterKey());
  const key = await loadMasterKey(path);
  if (!key) throw new ConfigError("MASTER_KEY_MISSING", `${path} was removed while the gateway was starting; start it again`);
  return { key, previous, created };
}

export function newMasterKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** 32 bytes in plain base64, padding included; null for anything else. */
export function parseMasterKey(text: string): Buffer | null {
  const key = Buffer.from(text, "base64");
  return key.length === KEY_BYTES && key.toString("base64") === text ? key : null;
}

/**
 * Null when there is no such file.
 * @throws ConfigError MASTER_KEY_WRONG when it holds anything but a key
 */
export async function loadMasterKey(path: string): Promise<Buffer | null> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text === null) return null;
  const key = parseMasterKey(text.trim());
  if (key) return key;
  throw new ConfigError(
    "MASTER_KEY_WRONG",
    `${path} does not hold 32 bytes in base64; put the original file back, without it the stored secrets are lost: then begin with an empty WXDESK_DATA_DIR`,
  );
}

/**
 * A whole file or none, on the disk when this resolves: written under a name of its own, then linked, which fails when the name is taken.
 * @returns whether this process made it
 */
export async function writeMasterKey(path: string, key: Buffer): Promise<boolean> {
  return withDraft(path, key, async (draft) => {
    try {
      await link(draft, path);
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
      throw error;
    }
  });
}

/** The same in place of the file that is there: at every instant the name leads to the old key or to the new one, whole. */
export async function replaceMasterKey(path: string, key: Buffer): Promise<void> {
  await withDraft(path, key, (draft) => rename(draft, path));
}

async function withDraft<T>(path: string, key: Buffer, publish: (draft: string) => Promise<T>): Promise<T> {
  const draft = `${path}.${randomUUID()}`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(`${key.toString("base64")}\n`);
      // A key that a power cut took back would leave every secret sealed with it unreadable.
      await file.sync();
    } finally {
      await file.close();
    }
    const published = await publish(draft);
    await syncFolder(path);
    return published;
  } finally {
    await rm(draft, { force: true });
  }
}
