import type { Command } from "commander";
import { type Cli, withExamples } from "./cli.ts";
import { addMigrateCommand } from "./migrate.ts";

/** The commands that are processes of their own elsewhere: each of those modules is one, and runs when it is loaded. */
export function addProcessCommands(program: Command, cli: Cli): void {
  const start = program.command("start").description("start the gateway, as npm start does; Ctrl-C or SIGTERM ends it in order");
  start.action(async () => {
    await import("../server.ts");
  });
  withExamples(start, ["wxdesk start", "WXDESK_PORT=8080 wxdesk start"]);

  const demo = program
    .command("demo")
    .description("play one conversation between an emulated WeChat and an emulated desk, as npm run demo does")
    // Read by the demo itself, which has no other way in.
    .option("--once", "end after the play, with 0 or 1");
  demo.action(async () => {
    await import("../demo/demo.ts");
  });
  withExamples(demo, ["wxdesk demo", "wxdesk demo --once"]);

  addMigrateCommand(program, cli);
}
