import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readLocalApi, removeLocalApi, writeLocalApi } from "../../src/keys/local-api-file.ts";

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-local-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("only the owner may read it, whatever was there before, and no draft stays behind", async () => {
  const folder = await createFolder();
  const path = join(folder, "local-api.json");
  await writeFile(path, "{}", { mode: 0o644 });
  await writeLocalApi(folder, { address: "http://127.0.0.1:8787", key: "wxl_1" });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["local-api.json"]);
  expect(await readLocalApi(folder)).toEqual({ address: "http://127.0.0.1:8787", key: "wxl_1" });
});

test("none is null, and removing none is fine", async () => {
  const folder = await createFolder();
  await removeLocalApi(folder);
  expect(await readLocalApi(folder)).toBeNull();
});
