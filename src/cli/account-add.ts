import type { Command } from "commander";
import { createdAccount } from "../http/api/schemas/account.ts";
import { addNewAccountOptions, type Draft, put, readDraft } from "./account-fields.ts";
import { askForAccount } from "./account-questions.ts";
import { call } from "./api/api.ts";
import { type Cli, present, withApi, withExamples } from "./cli.ts";
import { Failure, UsageError } from "./failure.ts";
import { toPasteList } from "./paste-list.ts";

export function addAccountAdd(account: Command, cli: Cli): void {
  const command = account.command("add").summary("create an account").description(DESCRIPTION);
  addNewAccountOptions(command).action(async () => {
    const draft = await complete(await readDraft(command, cli.terminal), cli);
    await withApi(cli, command, async (api) => {
      const answer = await call(api, "POST", "/accounts", draft);
      present(cli, command, answer, createdAccount, toPasteList);
    });
  });
  withExamples(command, [
    "wxdesk account add                                    asks for everything",
    "wxdesk account add --file account.json                the document of POST /api/v1/accounts",
    "pass show wechat/shop | wxdesk account add --app-secret-file - --desk-key-file desk.key \\",
    "  --kind official_account --id shop --name Shop --app-id wx0123456789abcdef --desk-url https://example.udesk.cn/spa1/im_callback",
  ]);
}

const DESCRIPTION = `Creates an account, and prints what has to be pasted into which console.

In a terminal it asks for what neither the file nor the options say. Token and EncodingAESKey are generated when they are not given.
They, and the push address, are shown this once.`;

/** Only a person can be asked; a script that gave half of it hears from the API what is missing. */
async function complete(draft: Draft, { terminal }: Cli): Promise<Draft> {
  if (Object.keys(draft).length === 0 && !terminal.isInteractive) {
    throw new UsageError("say what the account is, with --file or with options; in a terminal this asks for everything");
  }
  put(draft, "desk.protocol", "udesk-message-interface");
  if (!terminal.isInteractive || isWhole(draft)) return draft;
  const asked = await askForAccount(draft, terminal.ask);
  if (await terminal.ask.yes(`Create the account "${asked.id}"?`, true)) return asked;
  throw new Failure("Stopped; nothing was changed.");
}

/** A document from a file is complete in itself: its author knows what he left out. */
function isWhole({ id, kind, name, wechat }: Draft): boolean {
  return [id, kind, name, wechat].every((part) => part !== undefined);
}
