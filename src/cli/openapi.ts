import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { type Cli, withExamples } from "./cli.ts";
import { UsageError } from "./failure.ts";

export function addOpenapiCommand(program: Command, cli: Cli): void {
  const command = program
    .command("openapi")
    .description("print the API's description (OpenAPI 3.1) as this build serves it; needs no database")
    .option("--out <path>", "write it into this file");
  command.action(async ({ out }: { out?: string }) => {
    const { describeApi } = await import("../http/describe-api.ts");
    const text = JSON.stringify(await describeApi(), null, 2);
    if (out === undefined) return cli.terminal.print(text);
    await writeFile(out, `${text}\n`).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`--out ${out} cannot be written (${error.code}); check path and permissions`);
    });
    cli.terminal.note(`Written to ${out}.`);
  });
  withExamples(command, ["wxdesk openapi --out openapi.json", "wxdesk openapi | jq '.paths | keys'"]);
}
