import type { Command } from "commander";
import { z } from "zod";
import { createdAccount } from "../http/api/schemas/account.ts";
import { addNewAccountOptions, namesOfOptions, readDraft } from "./account-fields.ts";
import { askForAccount } from "./account-questions.ts";
import { call, read } from "./api/api.ts";
import { withApi } from "./api/with-api.ts";
import { type Cli, present, withExamples } from "./cli.ts";
import { type Draft, put } from "./draft.ts";
import { Failure, UsageError } from "./failure.ts";
import { toPasteList } from "./paste-list.ts";

export function addAccountAdd(account: Command, cli: Cli): void {
  const command = account.command("add").summary("create an account").description(DESCRIPTION);
  addNewAccountOptions(command)
    .option("--yes", "ask nothing, also in a terminal")
    .action(async ({ file, yes }: { file?: string; yes?: true }) => {
      const given = await readDraft(command, cli.terminal);
      // The author of a file knows what he left out.
      const isAsking = cli.terminal.isInteractive && file === undefined && yes === undefined;
      if (Object.keys(given).length === 0 && !isAsking) {
        throw new UsageError("say what the account is, with --file or with options; in a terminal this asks for everything");
      }
      const draft = isAsking ? await ask(given, command, cli) : given;
      put(draft, "desk.protocol", "udesk-message-interface");
      await withApi(cli, command, async (api) => {
        present(
          cli,
          command,
          await call(api, "POST", "/accounts", { body: draft, names: namesOfOptions(command) }),
          createdAccount,
          toPasteList,
        );
      });
    });
  withExamples(command, [
    "wxdesk account add                                    asks for everything",
    "wxdesk account add --file account.json                the document of POST /api/v1/accounts",
    "pass show wechat/shop | wxdesk account add --yes --app-secret-file - --desk-key-file desk.key \\",
    "  --kind official_account --id shop --name Shop --app-id wx0123456789abcdef --desk-url https://example.udesk.cn/spa1/im_callback",
  ]);
}

const DESCRIPTION = `Creates an account, and prints what has to be pasted into which console.

In a terminal it asks for what the options do not say. Token and EncodingAESKey are generated when they are not given. They, and the
push address, are shown this once.`;

/** The API is asked first: nobody should answer ten questions to hear that it cannot be reached, or that the id is taken. */
async function ask(given: Draft, command: Command, cli: Cli): Promise<Draft> {
  const taken: string[] = [];
  await withApi(cli, command, async (api) => {
    const { items } = read(z.object({ items: z.array(z.object({ id: z.string() })) }), await call(api, "GET", "/accounts"));
    taken.push(...items.map(({ id }) => id));
  });
  const draft = await askForAccount(given, taken, cli.terminal.ask);
  if (await cli.terminal.ask.yes(`Create the account "${draft.id}"?`, true)) return draft;
  throw new Failure("Stopped; nothing was changed.");
}
