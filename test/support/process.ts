import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export interface GatewayProcess {
  /** Null as long as it does not listen. */
  readonly address: string | null;
  /** Everything it has written so far, on both streams. */
  readonly output: string;
  /** The admin key that it printed; null when it printed none. */
  readonly adminKey: string | null;
  /** Resolves when it listens. Rejects with its output when it ends before, or takes too long. */
  listening(): Promise<string>;
  /** Resolves with the exit code; null when a signal ended it. */
  exited(): Promise<number | null>;
  /** As the system's out-of-memory killer does it. */
  kill(): Promise<void>;
  /** Takes the processor from it, as the pause of a virtual machine does, and gives it back. Its sockets stay open. */
  freeze(): void;
  thaw(): void;
  /** Asks it to stop, and gives the exit code. */
  stop(): Promise<number | null>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** A busy machine takes long; the test itself ends sooner unless it says otherwise. */
const START_MS_MAX = 60_000;

/**
 * The real gateway in a process of its own, with these settings and none of ours. `.env` is not read: it runs in `cwd`, the data
 * folder unless something else is said. Ends with the test at the latest.
 */
export function spawnGateway(
  environment: Record<string, string>,
  cwd: string,
  program = ["--import", import.meta.resolve("tsx"), `${ROOT}src/server.ts`],
): GatewayProcess {
  const child = spawn(process.execPath, program, {
    cwd,
    env: { PATH: process.env.PATH ?? "", WXDESK_LOG_LEVEL: "warn", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const exit = once(child, "close").then(([code]) => code as number | null);
  const kill = async () => {
    child.kill("SIGKILL");
    await exit;
  };
  onTestFinished(kill);

  const read = (line: RegExp) => line.exec(output)?.[1] ?? null;
  return {
    get address() {
      return read(/wxdesk listens on (\S+)/);
    },
    get output() {
      return output;
    },
    get adminKey() {
      return read(/admin key, shown this once: (\S+)/);
    },
    listening: () => untilListening(child, exit, () => output),
    exited: () => exit,
    kill,
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    stop: async () => {
      child.kill("SIGTERM");
      return exit;
    },
  };
}

async function untilListening(child: ChildProcess, exit: Promise<number | null>, output: () => string): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the gateway does not listen after ${START_MS_MAX} ms:\n${output()}`)), START_MS_MAX);
  });
  const ended = exit.then((code): never => {
    throw new Error(`the gateway ended with code ${code}:\n${output()}`);
  });
  ended.catch(() => {});
  try {
    for (;;) {
      const address = /wxdesk listens on (\S+)/.exec(output())?.[1];
      if (address !== undefined) return address;
      await Promise.race([child.stdout ? once(child.stdout, "data") : ended, late, ended]);
    }
  } finally {
    clearTimeout(timer);
  }
}
