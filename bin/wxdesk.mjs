#!/usr/bin/env node
// The command line. Plain JavaScript, because in a fresh checkout nothing is built yet: it builds first when it has to, with
// everything that a build says on standard error, so that standard output holds the answer alone.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`wxdesk needs Node 20.19 or later; this is ${process.version}.`);
  process.exit(2);
}

const builder = fileURLToPath(new URL("../scripts/build.mjs", import.meta.url));
if (existsSync(builder)) {
  const { isStale } = await import("../scripts/is-stale.mjs");
  if (isStale()) {
    console.error("wxdesk: building, this once…");
    const { status } = spawnSync(process.execPath, [builder, "--if-stale"], { stdio: ["ignore", 2, 2] });
    if (status !== 0) {
      console.error("wxdesk: the build failed; run npm ci, then try again.");
      process.exit(1);
    }
  }
}
await import("../dist/cli/main.js");
