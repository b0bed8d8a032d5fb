import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { ConfigError } from "../../src/base/errors.ts";
import { proveFolder, toFolderProblem } from "../../src/keys/data-folder.ts";
import { lockFolder } from "../../src/keys/folder-lock.ts";
import { loadOrCreateMasterKey } from "../../src/keys/master-key.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wxdesk-folder-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "file"), "");
});

const unusable = (code: string) => ({ code: "DATA_FOLDER_UNUSABLE", message: expect.stringContaining(`(${code}); `) });

describe("a data folder that cannot be used is named with its remedy:", () => {
  test("a file has its name", async () => {
    await expect(lockFolder(join(folder, "file"))).rejects.toMatchObject(unusable("EEXIST"));
    await expect(loadOrCreateMasterKey(join(folder, "file"))).rejects.toMatchObject(unusable("ENOTDIR"));
  });

  test("a file is on the way to it", async () => {
    await expect(lockFolder(join(folder, "file", "data"))).rejects.toMatchObject(unusable("ENOTDIR"));
  });

  test("a folder has the name of the key file", async () => {
    await mkdir(join(folder, "master.key"));
    await expect(loadOrCreateMasterKey(folder)).rejects.toMatchObject(unusable("EISDIR"));
  });

  test.each(["EACCES", "EPERM", "EROFS", "ENOSPC"])("%s", (code) => {
    const cause = Object.assign(new Error(`${code}: the system's words`), { code });
    expect(toFolderProblem(cause, "/data")).toMatchObject({ ...unusable(code), cause });
    expect(toFolderProblem(cause, "/data")).toBeInstanceOf(ConfigError);
  });
});

test("what is no matter of the folder stays what it is", () => {
  for (const error of [new Error("else"), new ConfigError("MASTER_KEY_WRONG", "the key is another"), "text"]) {
    expect(toFolderProblem(error, "/data")).toBe(error);
  }
});

test("a look finds it before anything is made", async () => {
  await expect(proveFolder(join(folder, "file"))).rejects.toMatchObject(unusable("EEXIST"));
  await expect(proveFolder(join(folder, "file", "data"))).rejects.toMatchObject(unusable("ENOTDIR"));
  await proveFolder(join(folder, "not", "yet", "there"));
  expect(await readdir(folder)).toEqual(["file"]);
});
