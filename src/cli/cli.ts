import type { Command } from "commander";
import type { z } from "zod";
import type { Config, Environment } from "../config.ts";
import { read } from "./api/api.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** What every command is given. */
export interface Cli {
  terminal: Terminal;
  readEnvironment(): Environment;
  /** @throws ConfigError SETTINGS_INVALID */
  readConfig(): Config;
  /** Ends the command with 1 although it said all it had to say: a check failed. */
  failCheck(): void;
}

/** Understood by every command, before and behind its name. */
export interface GlobalOptions {
  json?: true;
  url?: string;
  keyFile?: string;
  verbose?: true;
}

/** Prints an answer: as it came with `--json`, else as `render` puts it. */
export function present<Schema extends z.ZodType>(
  { terminal }: Cli,
  command: Command,
  answer: unknown,
  schema: Schema,
  render: (answer: z.output<Schema>) => string,
): void {
  const isJson = command.optsWithGlobals<GlobalOptions>().json === true;
  terminal.print(isJson ? JSON.stringify(answer, null, 2) : render(read(schema, answer)));
}

/** Help teaches by example. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText("after", `\nExamples:\n${examples.map((example) => `  ${example}`).join("\n")}`);
}
