import { Argument, type Command } from "commander";
import { z } from "zod";
import type { ExternalSecretName } from "../domain/external-secret-name.ts";
import { call } from "./api/api.ts";
import { withApi } from "./api/with-api.ts";
import { type Cli, present, withExamples } from "./cli.ts";
import { parseDuration } from "./duration.ts";
import { UsageError } from "./failure.ts";
import { readValue } from "./read-value.ts";
import { toList } from "./terminal/table.ts";

interface RotateOptions {
  valueFile?: string;
  overlap?: number;
  revokePrevious?: true;
}

/** The gateway makes these up; the others come from WeChat or the desk. */
const GENERATED: readonly ExternalSecretName[] = ["token", "encodingAesKey", "pushToken"];
const GIVEN: readonly ExternalSecretName[] = ["appSecret", "corpSecret", "deskKey"];

const rotated = z.object({ pushUrl: z.string(), generated: z.record(z.string(), z.string()).default({}) });

export function addSecretCommands(program: Command, cli: Cli): void {
  const secret = program.command("secret").description("secrets of accounts");
  const command = secret.command("rotate").summary("replace a secret").description(DESCRIPTION).argument("<account>");
  command
    .addArgument(new Argument("<name>", "which secret").choices([...GENERATED, ...GIVEN]))
    .option("--value-file <path>", "file that holds the new value; - is standard input")
    .option("--overlap <time>", "how long the old value is still accepted, such as 12h or 1d", parseDuration)
    .option("--revoke-previous", "accept the old value no longer; changes nothing else");
  command.action(async (account: string, name: ExternalSecretName, options: RotateOptions) => {
    const path = `/accounts/${encodeURIComponent(account)}/secrets/${name}`;
    if (options.revokePrevious) {
      return withApi(cli, command, async (api) => {
        await call(api, "DELETE", `${path}/previous`);
        cli.terminal.note(`The former ${name} of "${account}" is accepted no longer.`);
      });
    }
    const value = await readNewValue(name, options, cli);
    const body = {
      ...(value !== undefined && { value }),
      ...(options.overlap !== undefined && { overlapSeconds: Math.round(options.overlap / 1_000) }),
    };
    await withApi(cli, command, async (api) => {
      present(
        cli,
        command,
        await call(api, "POST", path, { body, names: { name, value: "the new value", overlapSeconds: "--overlap, in seconds," } }),
        rotated,
        (shown) => toText(account, name, shown, value === undefined),
      );
    });
  });
  withExamples(command, [
    "wxdesk secret rotate shop deskKey                     asks for the new value",
    "wxdesk secret rotate shop token --overlap 1d          makes one, and prints it this once",
    "wxdesk secret rotate shop appSecret --value-file -    from standard input",
    "wxdesk secret rotate shop pushToken --revoke-previous",
  ]);
}

const DESCRIPTION = `Replaces a secret. What the gateway sends uses the new one at once; what comes in may carry the old one until the overlap ends.

token, encodingAesKey and pushToken are generated unless a value is given; appSecret, corpSecret and deskKey come from their console.`;

async function readNewValue(name: ExternalSecretName, { valueFile }: RotateOptions, { terminal }: Cli): Promise<string | undefined> {
  if (valueFile !== undefined) return readValue(valueFile, terminal);
  if (GENERATED.includes(name)) return undefined;
  if (terminal.isInteractive)
    return terminal.ask.secret({ message: `New ${name}`, validate: (text) => text.trim() !== "" || "this is needed" });
  throw new UsageError(`${name} cannot be generated; give the new value with --value-file, - for standard input`);
}

function toText(account: string, name: ExternalSecretName, { generated, pushUrl }: z.output<typeof rotated>, isGenerated: boolean): string {
  const shown = Object.entries(generated);
  if (isGenerated && name === "pushToken") shown.push(["message push server address", pushUrl]);
  const done = `The ${name} of "${account}" is replaced.`;
  return shown.length === 0 ? done : `${done} Shown this once: paste it now.\n\n${toList(shown)}`;
}
