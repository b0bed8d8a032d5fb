import { readConfig, readEnvironment } from "../config.ts";
import { run } from "./run.ts";
import { createTerminal } from "./terminal/terminal.ts";

/** The process `wxdesk`. The exit code waits for what may still be running: `start` and `demo` end when they are told to. */
const exitCode = await run(process.argv.slice(2), {
  terminal: createTerminal(process),
  readEnvironment,
  readConfig: () => readConfig(readEnvironment()),
});
process.exitCode = exitCode;
