import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { BIN } from "./wxdesk.ts";

/** util-linux: on Debian and its kin, not on a Mac. */
export const hasPseudoTerminal = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

const ANSWER_MS_MAX = 60_000;

export interface Session {
  /** Everything that was on the screen. */
  readonly screen: string;
  /** Waits until this is asked, then types. */
  answer(question: string, keys: string): Promise<void>;
  exited(): Promise<number | null>;
}

/** The real command with a person at a terminal. */
export function sitDown(args: string[], cwd: string, environment: Record<string, string>): Session {
  const command = [process.execPath, BIN, ...args].map((part) => `'${part}'`).join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd,
    env: { PATH: process.env.PATH ?? "", TERM: "xterm", ...environment },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let screen = "";
  let readUpTo = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    screen += chunk.toString();
  });
  const exit = once(child, "close").then(([code]) => code as number | null);

  return {
    get screen() {
      return screen;
    },
    answer: async (question, keys) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), ANSWER_MS_MAX);
      for (;;) {
        const at = screen.indexOf(question, readUpTo);
        if (at >= 0) {
          readUpTo = at + question.length;
          break;
        }
        const ended = await Promise.race([once(child.stdout, "data").then(() => false), exit.then(() => true)]);
        if (ended) throw new Error(`"${question}" was not asked; the screen:\n${screen}`);
      }
      clearTimeout(timer);
      child.stdin.write(keys);
    },
    exited: () => exit,
  };
}
