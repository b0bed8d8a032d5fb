import { text } from "node:stream/consumers";
import { UsageError } from "../failure.ts";
import { createPrompts, type Prompts } from "./prompts.ts";

/** The two ends of a command: what it says and to whom, and what it is told. */
export interface Terminal {
  /** What was asked for, for people and programs: standard output. */
  print(text: string): void;
  /** What only a person wants to know: standard error. */
  note(text: string): void;
  /** Whether somebody is there who can be asked. */
  readonly isInteractive: boolean;
  ask: Prompts;
  /**
   * All of standard input.
   * @throws UsageError the second time: only one value can come from there
   */
  readInput(): Promise<string>;
}

export function createTerminal({ stdin, stdout, stderr }: Pick<NodeJS.Process, "stdin" | "stdout" | "stderr">): Terminal {
  // Who reads the beginning only, such as `head`, hangs up: then nothing is left to do.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  let isRead = false;
  return {
    print: (line) => void stdout.write(`${line}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    isInteractive: stdin.isTTY === true && stderr.isTTY === true,
    ask: createPrompts({ input: stdin, output: stderr }),
    readInput: async () => {
      if (isRead) throw new UsageError('standard input ("-") can be read once only; put the other value into a file');
      isRead = true;
      return text(stdin);
    },
  };
}
