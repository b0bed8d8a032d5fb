import { type Command, Option } from "commander";
import { z } from "zod";
import { shownMessage } from "../http/api/schemas/message.ts";
import { type Api, call } from "./api/api.ts";
import { withApi } from "./api/with-api.ts";
import { type Cli, present, withExamples } from "./cli.ts";
import { parsePast } from "./duration.ts";
import { UsageError } from "./failure.ts";
import { parseId } from "./ids.ts";

interface RetryOptions {
  state?: string;
  account?: string;
  since?: string;
  until?: string;
}

const retried = z.object({ retried: z.number(), more: z.boolean() });

export function addMessageRetry(message: Command, cli: Cli): void {
  const command = message
    .command("retry")
    .summary("send again what did not arrive")
    .description("Sends again one message, or all of a state. Doing it twice is safe; but an uncertain message may be said twice.")
    .argument("[id]", "one message", parseId("message"))
    .addOption(new Option("--state <state>", "all messages of this state").choices(["dead", "failed", "uncertain", "held"]))
    .option("--account <id>", "only of this account")
    .option("--since <time>", "only stored since then: 2h, 1d or ISO 8601", parsePast)
    .option("--until <time>", "only stored before then", parsePast);
  command.action((id: string | undefined, { state, account: accountId, since, until }: RetryOptions) => {
    if ((id === undefined) === (state === undefined)) throw new UsageError("give either a message's id or --state");
    if (id !== undefined && (accountId ?? since ?? until) !== undefined)
      throw new UsageError("--account, --since and --until belong to --state");
    return withApi(cli, command, async (api) => {
      if (id === undefined) {
        const answer = await call(api, "POST", "/messages/retry", { body: { state, accountId, since, until }, names: NAMES });
        present(cli, command, answer, retried, toText);
        if (retried.safeParse(answer).data?.retried !== 0) sayWhen(api, cli);
      } else {
        const answer = await call(api, "POST", `/messages/${encodeURIComponent(id)}/retry`);
        present(cli, command, answer, shownMessage, (shown) => `Message ${shown.id} is ${shown.state}.`);
        if (!ARRIVED.includes(shownMessage.safeParse(answer).data?.state ?? "")) sayWhen(api, cli);
      }
    });
  });
  withExamples(command, [
    "wxdesk message retry ms_0198c0de0000000000000000",
    "wxdesk message retry --state dead --account shop",
    "wxdesk message retry --state uncertain --since 2h     may say something twice",
  ]);
}

const NAMES = { state: "--state", accountId: "--account", since: "--since", until: "--until" };

/** What has arrived is left alone. */
const ARRIVED: readonly string[] = ["forwarded", "sent"];

function toText({ retried: count, more }: z.output<typeof retried>): string {
  return `${count} sent again.${more ? " There may be more: run this again." : ""}`;
}

function sayWhen({ isRunning }: Api, { terminal }: Cli): void {
  if (!isRunning) terminal.note("They leave when a gateway runs on this database: at once if one does, else when it is started.");
}
