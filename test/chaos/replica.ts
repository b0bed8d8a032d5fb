import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { removeTraces, toClockEnvironment } from "./faketime.ts";
import { toLaunchLine } from "./logs.ts";

/** A gateway process on a port that it keeps, and its supervisor: what is killed or stopped comes back when it is started again. */
export interface Replica {
  readonly name: string;
  readonly address: string;
  readonly logFile: string;
  /** Exit codes of all orderly stops, which are to be 0. */
  readonly stopCodes: readonly (number | null)[];
  /** Ends of its process that nobody asked for, other than of a start that found no database. */
  readonly crashes: readonly Crash[];
  /** By how much its clock was off after each start, as its answers said. */
  readonly clockReadingsMs: readonly number[];
  /** Resolves when it is ready. Starts it again while it cannot reach its database, as a supervisor does. */
  start(clockMs: number): Promise<void>;
  kill(): Promise<void>;
  /** It stands still, and its connections stay open: what is sent to it meanwhile is read after `thaw`. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export interface Crash {
  at: number;
  isStarting: boolean;
  code: number | string | null;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const READY_MS_MAX = 60_000;
const POLL_MS = 50;
const AGAIN_MS = 300;
const READY_TIMEOUT_MS = 3_000;
/** An answer's Date has whole seconds, of the moment when the process last looked. */
const READING_ERROR_MS_MAX = READY_TIMEOUT_MS + 2_000;

export interface ReplicaOptions {
  environment: Record<string, string>;
  folder: string;
  /** The library that sets its clock; null leaves the clock right. */
  faketime: string | null;
}

/** All it writes goes to one file, appended to at each start. */
export function createReplica(name: string, port: number, { environment, folder, faketime }: ReplicaOptions): Replica {
  const address = `http://127.0.0.1:${port}`;
  const logFile = `${folder}/${name}.log`;
  const stopCodes: (number | null)[] = [];
  const crashes: Crash[] = [];
  const clockReadingsMs: number[] = [];
  let isStarting = false;
  let child: ChildProcess | null = null;
  process.once("exit", () => {
    child?.kill("SIGKILL");
    if (child?.pid !== undefined) removeTraces(child.pid);
  });

  const launch = (clockMs: number): ChildProcess => {
    appendFileSync(logFile, toLaunchLine(clockMs));
    const log = openSync(logFile, "a");
    const launched = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), `${ROOT}src/server.ts`], {
      cwd: folder,
      env: {
        PATH: process.env.PATH ?? "",
        ...environment,
        WXDESK_PORT: String(port),
        ...(faketime === null ? {} : toClockEnvironment(faketime, clockMs)),
      },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    launched.once("exit", (code, signal) => {
      if (launched.pid !== undefined) removeTraces(launched.pid);
      if (child === launched && code !== 2) crashes.push({ at: Date.now(), isStarting, code: code ?? signal });
    });
    return launched;
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
    clockReadingsMs,
    start: async (wantedMs) => {
      const clockMs = faketime === null ? 0 : wantedMs;
      const until = Date.now() + READY_MS_MAX;
      isStarting = true;
      let started: ChildProcess | null = null;
      let readingMs = await readWhenReady(address);
      for (; readingMs === null; readingMs = await sleep(POLL_MS).then(() => readWhenReady(address))) {
        if (Date.now() > until) throw new Error(`${name} is not ready after ${READY_MS_MAX} ms, see ${logFile}`);
        if (started !== null && started.exitCode === null && started.signalCode === null) continue;
        // It cannot reach its database, and said so.
        if (started !== null) await sleep(AGAIN_MS);
        started = launch(clockMs);
        child = started;
      }
      isStarting = false;
      if (Math.abs(readingMs - clockMs) > READING_ERROR_MS_MAX) throw new Error(`${name}'s clock is ${readingMs} ms off, not ${clockMs}`);
      clockReadingsMs.push(readingMs);
    },
    kill: async () => {
      await end("SIGKILL");
    },
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    stop: async () => {
      stopCodes.push(await end("SIGTERM"));
    },
  };
}

/** By how much the clock that dates its answer is off; null while it is not ready. */
async function readWhenReady(address: string): Promise<number | null> {
  try {
    const response = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok ? Date.parse(response.headers.get("date") ?? "") - Date.now() : null;
  } catch {
    return null;
  }
}
