import type { Command } from "commander";
import { z } from "zod";
import { createLogger } from "../base/logger.ts";
import { type Cli, type GlobalOptions, present, withExamples } from "./cli.ts";

const rotation = z.object({ keyId: z.string(), reencrypted: z.number(), next: z.string() });

export function addMasterKeyCommands(program: Command, cli: Cli): void {
  const masterKey = program.command("master-key").description("the key that encrypts every stored secret");
  const command = masterKey.command("rotate").summary("encrypt everything stored with the current master key").description(DESCRIPTION);
  command.action(async () => {
    const { rotateMasterKey } = await import("../app/rotate-master-key.ts");
    const level = command.optsWithGlobals<GlobalOptions>().verbose === true ? "debug" : "error";
    const logger = createLogger({ level, destination: { write: (line) => cli.terminal.note(line.trimEnd()) } });
    const answer = await rotateMasterKey(cli.readConfig(), logger);
    present(
      cli,
      command,
      answer,
      rotation,
      ({ keyId, reencrypted, next }) => `${reencrypted} values encrypted anew, with key ${keyId}.\n${next}`,
    );
  });
  withExamples(command, ["wxdesk master-key rotate"]);
}

const DESCRIPTION = `Encrypts everything stored with the current master key. Stopped anywhere, it is started again and goes on.

With WXDESK_MASTER_KEY set, that is the current key, WXDESK_MASTER_KEY_PREVIOUS opens what is old, and gateways may run meanwhile. Without
it the key is a file in the data folder and a new one is made; stop the gateway first.`;
