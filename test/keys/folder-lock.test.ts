import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lockFolder } from "../../src/keys/folder-lock.ts";

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-lock-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A socket whose process is no more. */
async function leaveSocket(path: string): Promise<void> {
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  await once(spawn(process.execPath, ["-e", script]), "exit");
}

const refusal = { code: "DATA_FOLDER_IN_USE", message: expect.stringContaining("WXDESK_DATA_DIR") };

test("a folder has one holder at a time, and is made when it is not there", async () => {
  const folder = join(await makeFolder(), "not", "yet", "there");
  const unlock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toMatchObject(refusal);
  await unlock();
  await (await lockFolder(folder))();
});

test("a folder is recognised under another spelling of its path", async () => {
  const folder = await makeFolder();
  const unlock = await lockFolder(folder);
  await expect(lockFolder(`${folder}/../${folder.split("/").at(-1)}/.`)).rejects.toMatchObject(refusal);
  await unlock();
  await (await lockFolder(folder))();
});

test("what a killed process left is taken over by one of those who try at once, and leaves no traces", async () => {
  for (let round = 0; round < 10; round++) {
    const folder = await makeFolder();
    await leaveSocket(join(folder, "gateway-00000000.sock"));
    const tries = await Promise.allSettled(Array.from({ length: 4 }, () => lockFolder(folder)));
    const unlocks = tries.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(unlocks).toHaveLength(1);
    for (const result of tries) if (result.status === "rejected") expect(result.reason).toMatchObject(refusal);
    expect(await readdir(folder)).toEqual([expect.stringMatching(/^gateway-[0-9a-f]{8}\.sock$/)]);
    await expect(lockFolder(folder)).rejects.toMatchObject(refusal);
    for (const unlock of unlocks) await unlock();
    await (await lockFolder(folder))();
  }
});

test("a folder whose path is too long for a socket is locked as well", async () => {
  const folder = join(await makeFolder(), "x".repeat(120));
  const unlock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toMatchObject(refusal);
  await unlock();
  await (await lockFolder(folder))();
});
