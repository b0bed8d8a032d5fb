import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process of bench/processes that answers calls over Node's own channel. */
export interface Child {
  pid: number;
  /** @throws Error with the text of what went wrong over there, or when the process has ended */
  call<Result>(verb: string, argument?: unknown): Promise<Result>;
  /** Ends it, orderly, so that a processor profile is written. */
  end(): Promise<void>;
}

interface Answer {
  id: number;
  result?: unknown;
  error?: string;
}

export interface ChildOptions {
  /** Another Node, for peers that do not run on this one. */
  execPath?: string;
  nodeOptions?: string[];
}

const END_MS_MAX = 5_000;

/** Starts a process; nothing outlives this one. */
export async function startChild(file: string, { execPath, nodeOptions = [] }: ChildOptions = {}): Promise<Child> {
  const child = fork(fileURLToPath(new URL(`../processes/${file}`, import.meta.url)), [], {
    execPath: execPath ?? process.execPath,
    execArgv: ["--import", import.meta.resolve("tsx"), ...nodeOptions],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  child.on("message", ({ id, result, error }: Answer) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(`${file}: ${error}`));
  });
  child.once("exit", (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${file} ended with ${code ?? signal}`));
    process.off("exit", kill);
  });

  let calls = 0;
  const call = <Result>(verb: string, argument?: unknown) =>
    new Promise<Result>((resolve, reject) => {
      const id = ++calls;
      waiting.set(id, { resolve: (value) => resolve(value as Result), reject });
      child.send({ id, verb, argument });
    });
  await call("ready");
  return { pid: child.pid ?? 0, call, end: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.disconnect();
  const tooLong = setTimeout(() => child.kill("SIGKILL"), END_MS_MAX);
  await exited;
  clearTimeout(tooLong);
}
