import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { beginKeyRotation, endKeyRotation } from "../../src/keys/key-rotation.ts";
import { loadOrCreateMasterKey } from "../../src/keys/master-key.ts";

let folder: string;
let old: Buffer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wxdesk-key-"));
  old = (await loadOrCreateMasterKey(folder)).key;
});

afterEach(() => rm(folder, { recursive: true }));

describe("the rotation of the key file", () => {
  test("keeps the old key beside the new one until it is ended, both for their owner only", async () => {
    const { key, previous, isResumed } = await beginKeyRotation(folder);
    expect({ previous, isResumed }).toEqual({ previous: old, isResumed: false });
    expect(key).toHaveLength(32);
    expect(key).not.toEqual(old);
    expect(await loadOrCreateMasterKey(folder)).toEqual({ key, previous: old, created: false });
    for (const name of ["master.key", "master.key.previous"]) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);

    await endKeyRotation(folder);
    await endKeyRotation(folder);
    expect(await readdir(folder)).toEqual(["master.key"]);
    expect(await loadOrCreateMasterKey(folder)).toEqual({ key, previous: null, created: false });
  });

  test("begun again makes no third key", async () => {
    const { key } = await beginKeyRotation(folder);
    expect(await beginKeyRotation(folder)).toEqual({ key, previous: old, isResumed: true });
    expect(await loadOrCreateMasterKey(folder)).toEqual({ key, previous: old, created: false });
  });

  test("removes the drafts that a crash has left, and nothing else", async () => {
    const draft = "master.key.0b8f0f6e-5d1c-4a52-9d2c-0f4a3d2c1b0a";
    for (const name of [draft, "master.key.backup"]) await writeFile(join(folder, name), "x");
    await beginKeyRotation(folder);
    expect((await readdir(folder)).sort()).toEqual(["master.key", "master.key.backup", "master.key.previous"]);
  });

  test("refuses a previous file that holds no key, and leaves it", async () => {
    await writeFile(join(folder, "master.key.previous"), "no key");
    await expect(beginKeyRotation(folder)).rejects.toMatchObject({ code: "MASTER_KEY_WRONG" });
    expect(await readFile(join(folder, "master.key.previous"), "utf8")).toBe("no key");
    expect((await readFile(join(folder, "master.key"), "utf8")).trim()).toBe(old.toString("base64"));
  });
});
