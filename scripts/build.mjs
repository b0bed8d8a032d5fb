// Builds dist from src. With --if-stale only when there is no build or something it is made from is newer (npm start, npx wxdesk).
import { spawnSync } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isStale } from "./is-stale.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

if (!process.argv.includes("--if-stale") || isStale()) {
  await import("./generate.mjs");
  // Beside the old build, which may be running and is kept when this one fails; several may be building at the same time.
  const draft = join(root, `dist.${process.pid}`);
  const former = join(root, `dist.${process.pid}.former`);
  try {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", draft], { cwd: root, stdio: "inherit" });
    process.exitCode = status ?? 1;
    if (status === 0) takePlace(draft, join(root, "dist"), former);
  } finally {
    for (const folder of [draft, former]) rmSync(folder, { recursive: true, force: true });
  }
}

function takePlace(draft, place, former) {
  if (existsSync(place)) renameSync(place, former);
  renameSync(draft, place);
}
