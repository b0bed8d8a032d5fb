import { randomBytes, randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../domain/errors.ts";

const KEY_BYTES = 32;

/**
 * The key in `<dataDir>/master.key`, made at the first call. Processes that call at the same time get the same key.
 * @throws ConfigError MASTER_KEY_WRONG when the file holds anything else; it is never overwritten
 */
export async function loadOrCreateMasterKey(dataDir: string): Promise<{ key: Buffer; created: boolean }> {
  const path = join(dataDir, "master.key");
  const existing = await load(path);
  if (existing) return { key: existing, created: false };
  await mkdir(dataDir, { recursive: true });
  const created = await create(path);
  const key = await load(path);
  if (!key) throw new ConfigError("MASTER_KEY_MISSING", `${path} was removed while the gateway was starting; start it again`);
  return { key, created };
}

/** 32 bytes in plain base64, padding included; null for anything else. */
export function parseMasterKey(text: string): Buffer | null {
  const key = Buffer.from(text, "base64");
  return key.length === KEY_BYTES && key.toString("base64") === text ? key : null;
}

/**
 * The key in `<dataDir>/master.key` without making one; null when there is none.
 * @throws ConfigError MASTER_KEY_WRONG when the file holds anything else
 */
export function loadMasterKey(dataDir: string): Promise<Buffer | null> {
  return load(join(dataDir, "master.key"));
}

async function load(path: string): Promise<Buffer | null> {
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
 * A whole file or none: written under a name of its own, then linked, which fails when another process was first.
 * @returns whether this process made it
 */
async function create(path: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(`${randomBytes(KEY_BYTES).toString("base64")}\n`);
      // A key that a power cut took back would leave every secret sealed with it unreadable.
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
