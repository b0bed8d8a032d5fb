import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));

/** Installs what the gateway is measured against, unless it is there already. It has a lock file of its own. */
export function installPeers(say: (text: string) => void): void {
  const installed = `${FOLDER}node_modules/.package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${FOLDER}package-lock.json`).mtimeMs) return;
  say("installing the peers of bench/package.json");
  const { status } = spawnSync("npm", ["ci", "--prefix", FOLDER, "--no-audit", "--no-fund", "--loglevel", "error"], {
    cwd: FOLDER,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error("the peers could not be installed; run npm ci --prefix bench and see what it says");
}

/** A peer with the Node that its engines range allows. */
export interface Peer {
  /** What it is installed as. */
  packageName: string;
  version: string;
  execPath: string;
}

/**
 * The first of these packages that runs on this Node, or on the one that BENCH_NODE names. Null when neither fits any of them.
 */
export function findPeer(packageNames: readonly string[]): Peer | null {
  const nodes = [process.execPath, ...(process.env.BENCH_NODE ? [process.env.BENCH_NODE] : [])];
  for (const packageName of packageNames) {
    const { version, engines } = readManifest(packageName);
    const execPath = nodes.find((node) => fits(versionOf(node), engines?.node ?? ">=0"));
    if (execPath !== undefined) return { packageName, version, execPath };
  }
  return null;
}

/** Understands `>=22.12.0`, which is all that the peers say. */
export function fits(version: string, range: string): boolean {
  const wanted = /^>=\s*(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(range);
  if (wanted === null) throw new Error(`engines range "${range}" is not understood`);
  const actual = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  for (const place of [1, 2, 3]) {
    const difference = Number(actual?.[place] ?? 0) - Number(wanted[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function versionOf(node: string): string {
  return node === process.execPath ? process.version : spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
}

function readManifest(packageName: string): { version: string; engines?: { node?: string } } {
  return JSON.parse(readFileSync(`${FOLDER}node_modules/${packageName}/package.json`, "utf8"));
}
