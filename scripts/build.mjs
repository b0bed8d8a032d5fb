// Builds dist from src. With --if-stale only when there is no build or something it is made from is newer (npm start).
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "dist/server.js");
const sources = ["src", "prisma/schema.prisma", "package.json", "tsconfig.json", "tsconfig.build.json"];

if (!process.argv.includes("--if-stale") || isStale()) {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  await import("./generate.mjs");
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
  process.exit(status ?? 1);
}

/** Without sources, as in an image that holds only the build, there is nothing to compare with. */
function isStale() {
  if (!existsSync(built)) return true;
  const builtAt = statSync(built).mtimeMs;
  return sources.some((source) => existsSync(join(root, source)) && newest(join(root, source)) > builtAt);
}

function newest(path) {
  const own = statSync(path);
  if (!own.isDirectory()) return own.mtimeMs;
  const inside = readdirSync(path).filter((name) => name !== "generated");
  return Math.max(0, ...inside.map((name) => newest(join(path, name))));
}
