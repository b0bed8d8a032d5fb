import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const localApi = z.object({ address: z.string(), key: z.string() });

/** How the command line reaches the gateway that runs on a data folder. The key is good as long as that process lives. */
export type LocalApi = z.output<typeof localApi>;

/** Whoever reads the file is an admin of the gateway: it is as sensitive as `master.key` beside it, and nobody else may read it. */
export async function writeLocalApi(folder: string, content: LocalApi): Promise<void> {
  const draft = `${toPath(folder)}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: "wx" });
  await rename(draft, toPath(folder));
}

/** Null when there is none. After `kill -9` it stays behind: only a folder that is locked makes it true. */
export async function readLocalApi(folder: string): Promise<LocalApi | null> {
  try {
    return localApi.parse(JSON.parse(await readFile(toPath(folder), "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** Done twice, it does nothing. */
export async function removeLocalApi(folder: string): Promise<void> {
  await rm(toPath(folder), { force: true });
}

function toPath(folder: string): string {
  return join(folder, "local-api.json");
}
