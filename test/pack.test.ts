import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { pack } from "./support/pack.ts";

test("npm pack makes no package that cannot run, and package.json says how the gateway is run instead", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-pack-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { code, stderr } = await pack(folder);
  expect(code).not.toBe(0);
  expect(stderr).toContain("Invalid package");
  expect(packageJson["//"]).toContain("npm ci && npm start");
  expect((await readdir(folder)).filter((name) => name.endsWith(".tgz"))).toEqual([]);
});
