import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A gateway process on a port that it keeps, and its supervisor: what is killed or stopped comes back when it is started again. */
export interface Replica {
  readonly name: string;
  readonly address: string;
  readonly logFile: string;
  /** Exit codes of all orderly stops, which are to be 0. */
  readonly stopCodes: readonly (number | null)[];
  /** Ends of its process that nobody asked for, other than of a start that found no database. */
  readonly crashes: readonly Crash[];
  /** Resolves when it is ready. Starts it again while it cannot reach its database, as a supervisor does. */
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface Crash {
  at: number;
  isStarting: boolean;
  code: number | string | null;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const READY_MS_MAX = 60_000;
const LOOK_MS = 50;
const AGAIN_MS = 300;

/** All it writes goes to one file, appended to at each start. */
export function createReplica(name: string, port: number, environment: Record<string, string>, folder: string): Replica {
  const address = `http://127.0.0.1:${port}`;
  const logFile = `${folder}/${name}.log`;
  const stopCodes: (number | null)[] = [];
  const crashes: Crash[] = [];
  let isStarting = false;
  let child: ChildProcess | null = null;
  process.once("exit", () => child?.kill("SIGKILL"));

  const launch = (): ChildProcess => {
    const log = openSync(logFile, "a");
    return spawn(process.execPath, ["--import", import.meta.resolve("tsx"), `${ROOT}src/server.ts`], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", ...environment, WXDESK_PORT: String(port) },
      stdio: ["ignore", log, log],
    });
  };

  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null) return null;
    const exit = once(ending, "exit");
    ending.kill(signal);
    const [code] = await exit;
    return code;
  };

  return {
    name,
    address,
    logFile,
    stopCodes,
    crashes,
    start: async () => {
      const until = Date.now() + READY_MS_MAX;
      isStarting = true;
      for (let started: ChildProcess | null = null; !(await isReady(address)); await sleep(LOOK_MS)) {
        if (Date.now() > until) throw new Error(`${name} is not ready after ${READY_MS_MAX} ms, see ${logFile}`);
        if (started !== null && started.exitCode === null && started.signalCode === null) continue;
        // It cannot reach its database, and said so.
        if (started !== null) await sleep(AGAIN_MS);
        const launched = launch();
        launched.once("exit", (code, signal) => {
          if (child === launched && code !== 2) crashes.push({ at: Date.now(), isStarting, code: code ?? signal });
        });
        started = launched;
        child = launched;
      }
      isStarting = false;
    },
    kill: async () => {
      await end("SIGKILL");
    },
    stop: async () => {
      stopCodes.push(await end("SIGTERM"));
    },
  };
}

async function isReady(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(3_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
