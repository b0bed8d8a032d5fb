// Builds dist from src. With --if-stale only when there is no build or something it is made from is newer (npm start, npx wxdesk).
import { spawnSync } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isStale } from "./is-stale.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const onlyIfStale = process.argv.includes("--if-stale");

if (!onlyIfStale || isStale()) {
  await import("./generate.mjs");
  // Beside the build before, which may be running, and which is kept when this one fails.
  const draft = join(root, `dist.${process.pid}`);
  try {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", draft], { cwd: root, stdio: "inherit" });
    process.exitCode = status ?? 1;
    // Several commands may have found the same build stale; the first one's will do.
    if (status === 0 && (!onlyIfStale || isStale())) takePlace(draft, join(root, "dist"));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** What stands in the place is the build before, or another's that came in between: hence more than one try. */
function takePlace(draft, place) {
  const former = `${draft}.former`;
  for (let triesLeft = 10; ; triesLeft--) {
    try {
      if (existsSync(place)) renameSync(place, former);
      renameSync(draft, place);
      return;
    } catch (error) {
      if (triesLeft === 0) throw error;
    } finally {
      rmSync(former, { recursive: true, force: true });
    }
  }
}
