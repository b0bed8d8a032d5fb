import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import { findFreePort } from "../support/free-port.ts";

/** A throw-away PostgreSQL server that may be stopped, started and frozen; it keeps its address. */
export interface PostgresServer {
  /** A new, empty database. */
  createDatabase(): Promise<string>;
  /** `fast` sends the sessions away, `immediate` is a crash. */
  stop(mode: "fast" | "immediate"): Promise<void>;
  start(): Promise<void>;
  /** The server and its sessions stand still: connections are taken and never answered. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

const CLUSTER = fileURLToPath(new URL("../../scripts/postgres-cluster.sh", import.meta.url));
const run = promisify(execFile);

/** Whether this machine has the binaries, as scripts/postgres-cluster.sh looks for them, without installing any. */
export function hasPostgres(): boolean {
  return spawnSync("bash", ["-c", "ls /usr/lib/postgresql/*/bin/initdb || command -v initdb"], { stdio: "ignore" }).status === 0;
}

export async function startPostgres(): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-chaos-postgres-"));
  const port = await findFreePort();
  const address = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  const cluster = (...args: string[]) => run("bash", [CLUSTER, ...args]);
  // Whatever ends this process, its server does not outlive it.
  const end = () => {
    signalAll(readPids(folder), "SIGCONT");
    if (existsSync(join(folder, "data/postmaster.pid"))) spawnSync("bash", [CLUSTER, "stop", folder, "immediate"], { stdio: "ignore" });
    spawnSync("rm", ["-rf", folder]);
  };
  process.once("exit", end);

  await cluster("create", folder);
  await cluster("start", folder, String(port));
  let frozen: number[] = [];
  return {
    createDatabase: async () => {
      const name = `wxdesk_chaos_${randomBytes(4).toString("hex")}`;
      const client = new pg.Client({ connectionString: address("postgres") });
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      return address(name);
    },
    stop: async (mode) => {
      await cluster("stop", folder, mode);
    },
    start: async () => {
      await cluster("start", folder, String(port));
    },
    freeze: async () => {
      const postmaster = Number((await readFile(join(folder, "data/postmaster.pid"), "utf8")).split("\n")[0]);
      // The postmaster first, so that it makes no more sessions.
      process.kill(postmaster, "SIGSTOP");
      frozen = [postmaster, ...childrenOf(postmaster)];
      signalAll(frozen, "SIGSTOP");
    },
    thaw: async () => {
      signalAll(frozen.splice(0), "SIGCONT");
    },
    remove: async () => {
      signalAll(frozen.splice(0), "SIGCONT");
      process.off("exit", end);
      if (existsSync(join(folder, "data/postmaster.pid"))) await cluster("stop", folder, "immediate").catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

function readPids(folder: string): number[] {
  const { stdout } = spawnSync("head", ["-n", "1", join(folder, "data/postmaster.pid")], { encoding: "utf8" });
  const postmaster = Number(stdout.trim());
  return postmaster > 0 ? [...childrenOf(postmaster), postmaster] : [];
}

/** One that has ended meanwhile needs no signal. */
function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {}
  }
}
