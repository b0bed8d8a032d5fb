import { Command, CommanderError } from "commander";
import { VERSION } from "../version.ts";
import { addAccountCommands } from "./account.ts";
import { type Cli, withExamples } from "./cli.ts";
import { addConversationCommands } from "./conversation.ts";
import { addDoctorCommand } from "./doctor.ts";
import { type ExitCode, toEnding } from "./failure.ts";
import { addKeyCommands } from "./key.ts";
import { addMasterKeyCommands } from "./master-key.ts";
import { addMessageCommands } from "./message.ts";
import { addOpenapiCommand } from "./openapi.ts";
import { addProcessCommands } from "./process.ts";
import { addSecretCommands } from "./secret.ts";
import { addSignCommand } from "./sign.ts";

/** One call of the command line, from its arguments to its exit code. Never rejects. */
export async function run(args: readonly string[], deps: Omit<Cli, "failCheck">): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const cli: Cli = {
    ...deps,
    failCheck: () => {
      exitCode = 1;
    },
  };
  const program = createProgram(cli);
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // Help and version were asked for; for all else commander has said what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const ending = toEnding(error);
    const stack = args.includes("--verbose") && !ending.isExpected && error instanceof Error ? `\n${error.stack}` : "";
    cli.terminal.note(ending.text + stack);
    return ending.exitCode;
  }
}

export function createProgram(cli: Cli): Command {
  const { terminal } = cli;
  // Before any command is added: commands take these over from their parent.
  const program = new Command("wxdesk")
    .description("Message gateway between WeChat and a customer-service desk.")
    .version(VERSION)
    .option("--json", "print data as JSON, as the API gives it")
    .option("--url <address>", "speak to the gateway at this address, with an API key")
    .option("--key-file <path>", "file that holds the API key for --url; - is standard input; else WXDESK_API_KEY")
    .option("--verbose", "show on standard error what happens inside")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => terminal.print(text.trimEnd()), writeErr: (text) => terminal.note(text.trimEnd()) })
    .showHelpAfterError("(add --help for examples)")
    .exitOverride();

  addProcessCommands(program, cli);
  addAccountCommands(program, cli);
  addSecretCommands(program, cli);
  addConversationCommands(program, cli);
  addMessageCommands(program, cli);
  addKeyCommands(program, cli);
  addMasterKeyCommands(program, cli);
  addDoctorCommand(program, cli);
  addSignCommand(program, cli);
  addOpenapiCommand(program, cli);

  return withExamples(program, [
    "wxdesk start                         the gateway itself",
    "wxdesk account add                   asks what it needs, then says what to paste where",
    "wxdesk account test shop             does everything about an account work?",
    "wxdesk conversation list --status queueing",
    "wxdesk message retry --state dead --account shop",
  ]).addHelpText(
    "after",
    `
Without --url a command uses the settings of this folder (.env, environment), as the gateway does. It speaks to the gateway that runs
on this data folder, or opens the database itself when none does. Secrets come from a question, a file or standard input, never from
an argument. Exit codes: 0 fine, 1 a failed check or a refusal, 2 a wrong command or setting.`,
  );
}
