// Builds dist from src. With --if-missing it does nothing when there is a build already (npm start).
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = `${root}dist/server.js`;

if (!process.argv.includes("--if-missing") || !existsSync(built)) {
  rmSync(`${root}dist`, { recursive: true, force: true });
  await import("./generate.mjs");
  const tsc = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));
  const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
  process.exit(status ?? 1);
}
