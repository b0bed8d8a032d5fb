import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";

/**
 * The library that gives a process a clock of its own. On Debian it is installed when it is missing and may be, as
 * scripts/postgres-cluster.sh does with the server.
 * @returns its path, or null where it cannot be had
 */
export function findFaketime(): string | null {
  return findLibrary() ?? (install() ? findLibrary() : null);
}

function findLibrary(): string | null {
  const folders = ["/usr/local/lib", "/usr/lib64", "/usr/lib", ...readdirSync("/usr/lib").map((name) => `/usr/lib/${name}`)];
  return folders.map((folder) => `${folder}/faketime/libfaketime.so.1`).find((path) => existsSync(path)) ?? null;
}

function install(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const script = "command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y libfaketime";
  return spawnSync("bash", ["-c", script], { stdio: "ignore" }).status === 0;
}

/** For a process whose clock is off by so much. Its monotonic clock and timers run as ever, as with a machine whose time is set wrongly. */
export function toClockEnvironment(library: string, offsetMs: number): Record<string, string> {
  const seconds = (offsetMs / 1_000).toFixed(3);
  return { LD_PRELOAD: library, FAKETIME: offsetMs < 0 ? seconds : `+${seconds}`, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
}

/** The library shares its start with its children in two files, which a killed process leaves behind. */
export function removeTraces(pid: number): void {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) rmSync(`/dev/shm/${name}`, { force: true });
}
