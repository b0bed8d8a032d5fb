import type { Command } from "commander";
import type { Cli, GlobalOptions } from "../cli.ts";
import type { Api } from "./api.ts";
import { connect } from "./connect.ts";

/** Runs `work` with the API, and closes it also when `work` fails. */
export async function withApi(cli: Cli, command: Command, work: (api: Api) => Promise<void>): Promise<void> {
  const api = await connect(cli, command.optsWithGlobals<GlobalOptions>());
  try {
    await work(api);
  } finally {
    await api.close();
  }
}
