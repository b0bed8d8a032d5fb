import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadOrCreateMasterKey } from "../../src/keys/master-key.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wxdesk-key-"));
});

afterEach(() => rm(folder, { recursive: true }));

describe("the generated master key", () => {
  test("is made once, readable by its owner only, and found again", async () => {
    const dataDir = join(folder, "not", "there");
    const first = await loadOrCreateMasterKey(dataDir);
    expect(first).toEqual({ key: expect.any(Buffer), previous: null, created: true });
    expect(first.key).toHaveLength(32);
    expect((await stat(join(dataDir, "master.key"))).mode & 0o777).toBe(0o600);
    expect(await loadOrCreateMasterKey(dataDir)).toEqual({ key: first.key, previous: null, created: false });
  });

  test("is one and the same for processes that start together, with no drafts left over", async () => {
    const results = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateMasterKey(folder)));
    expect(new Set(results.map(({ key }) => key.toString("hex"))).size).toBe(1);
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(await readdir(folder)).toEqual(["master.key"]);
  });

  test.each(["", "bm90IDMyIGJ5dGVz\n", "not base64 at all"])("a file that holds %j is refused and kept", async (content) => {
    await writeFile(join(folder, "master.key"), content);
    await expect(loadOrCreateMasterKey(folder)).rejects.toMatchObject({ name: "ConfigError", code: "MASTER_KEY_WRONG" });
    expect(await readFile(join(folder, "master.key"), "utf8")).toBe(content);
  });
});
