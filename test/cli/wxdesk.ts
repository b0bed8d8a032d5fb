import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeAll } from "vitest";
import { run } from "../../src/cli/run.ts";
import type { Terminal } from "../../src/cli/terminal/terminal.ts";
import { readConfig } from "../../src/config.ts";

export const BIN = fileURLToPath(new URL("../../bin/wxdesk.mjs", import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface WxdeskOptions {
  cwd: string;
  environment?: Record<string, string>;
  input?: string;
}

/** Call it once in a file whose tests start processes: the build, if one is due, is not part of any test's time. */
export function buildBefore(): void {
  beforeAll(async () => {
    const { code, stderr } = await wxdesk(["--version"], { cwd: "/" });
    if (code !== 0) throw new Error(`the command line cannot be built:\n${stderr}`);
  });
}

/** The real command in a process of its own, with these settings and none of ours. */
export async function wxdesk(args: string[], { cwd, environment = {}, input = "" }: WxdeskOptions): Promise<Ended> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, env: { PATH: process.env.PATH ?? "", ...environment } });
  const ended = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    ended.stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    ended.stderr += chunk.toString();
  });
  // A command that wants no input may have ended before it is written.
  child.stdin.on("error", () => {}).end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...ended };
}

/** The same command in this process, for what needs no process of its own. */
export async function wxdeskHere(args: string[], { environment = {}, input = "" }: Omit<WxdeskOptions, "cwd"> = {}): Promise<Ended> {
  const ended = { stdout: "", stderr: "" };
  const code = await run(args, {
    terminal: createScript(ended, input),
    readEnvironment: () => environment,
    readConfig: () => readConfig(environment),
  });
  return { code, ...ended };
}

/** A terminal that nobody sits at. */
export function createScript(ended: { stdout: string; stderr: string }, input: string): Terminal {
  const nobody = async () => {
    throw new Error("nobody is there to be asked");
  };
  return {
    print: (text) => {
      ended.stdout += `${text}\n`;
    },
    note: (text) => {
      ended.stderr += `${text}\n`;
    },
    isInteractive: false,
    ask: { text: nobody, secret: nobody, choice: nobody, yes: nobody },
    readInput: async () => input,
  };
}
