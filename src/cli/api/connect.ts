import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError } from "../../base/errors.ts";
import { isBareHttpUrl } from "../../base/http-url.ts";
import { readLocalApi } from "../../keys/local-api-file.ts";
import type { Cli, GlobalOptions } from "../cli.ts";
import { Failure, UsageError } from "../failure.ts";
import { readValue } from "../read-value.ts";
import type { Api } from "./api.ts";
import { createHttpApi, isAnswering } from "./http-api.ts";

/** A gateway that starts or stops, or another command, holds the folder without answering for a moment. */
const BUSY_MS_MAX = 15_000;
const POLL_MS = 200;

/**
 * The gateway of `--url`; else the database of the settings, opened by this process; else, when a gateway runs on the embedded one,
 * that gateway, whose address and key of the moment are in its data folder.
 */
export async function connect(cli: Cli, options: GlobalOptions, busyMsMax = BUSY_MS_MAX): Promise<Api> {
  if (options.url !== undefined) return createHttpApi({ address: toAddress(options.url), key: await readKey(cli, options) });
  if (options.keyFile !== undefined) throw new UsageError("--key-file belongs to --url; without it no key is needed");
  const config = cli.readConfig();
  // Only here, because a command that speaks HTTP should not wait for a database to be loaded.
  const { createInProcessApi } = await import("./in-process-api.ts");
  const giveUpAt = Date.now() + busyMsMax;
  for (;;) {
    try {
      return await createInProcessApi(config, cli.terminal, options.verbose === true);
    } catch (error) {
      if (!(error instanceof ConfigError) || error.code !== "DATA_FOLDER_IN_USE") throw error;
    }
    const local = await readLocalApi(config.dataDir);
    if (local !== null && (await isAnswering(local.address))) return createHttpApi(local);
    if (Date.now() > giveUpAt) throw toSilence(config.dataDir, local?.address);
    await sleep(POLL_MS);
  }
}

function toSilence(dataDir: string, address: string | undefined): Failure {
  const who = address === undefined ? "has not said where it listens" : `does not answer at ${address}`;
  return new Failure(
    `a gateway or another command holds ${dataDir}, but ${who}; wait until it is up, or stop it, and try again. A gateway elsewhere is reached with --url and --key-file`,
  );
}

/** What a person copies may end in a slash or in the API's own path. */
function toAddress(url: string): string {
  const address = url
    .trim()
    .replace(/\/+$/, "")
    .replace(/\/api\/v1$/, "");
  if (isBareHttpUrl(address)) return address;
  throw new UsageError("--url must be the gateway's http or https address, such as https://gateway.example.com");
}

async function readKey({ terminal, readConfig }: Cli, { keyFile }: GlobalOptions): Promise<string> {
  const key = keyFile === undefined ? readConfig().apiKey : (await readValue(keyFile, terminal)).trim();
  if (key !== undefined && /^[\x21-\x7e]+$/.test(key)) return key;
  if (keyFile !== undefined) {
    const where = keyFile === "-" ? "standard input" : keyFile;
    throw new UsageError(`${where} holds no API key, which is one word of letters, digits and signs; wxdesk key create makes one`);
  }
  throw new UsageError(
    "--url needs an API key: set WXDESK_API_KEY or WXDESK_API_KEY_FILE, or name a file that holds it, or - for standard input, with --key-file",
  );
}
