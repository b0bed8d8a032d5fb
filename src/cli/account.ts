import type { Command } from "commander";
import { z } from "zod";
import { shownAccount } from "../http/api/schemas/account.ts";
import { addAccountAdd } from "./account-add.ts";
import { addAccountOptions, namesOfOptions, readDraft } from "./account-fields.ts";
import { accountChecks, toAccountTable, toAccountText, toChecksText } from "./account-text.ts";
import { call, read } from "./api/api.ts";
import { withApi } from "./api/with-api.ts";
import { type Cli, present, withExamples } from "./cli.ts";
import { UsageError } from "./failure.ts";

export function addAccountCommands(program: Command, cli: Cli): void {
  const account = program.command("account").description("WeChat accounts and their desks");
  addAccountAdd(account, cli);
  addList(account, cli);
  addShow(account, cli);
  addSet(account, cli);
  addTest(account, cli);
  addSwitch(account, cli, "enable", "callbacks and pushes are taken again");
  addSwitch(account, cli, "disable", "callbacks and pushes are answered with 404");
  addRemove(account, cli);
}

const toPath = (id: string) => `/accounts/${encodeURIComponent(id)}`;

function addList(account: Command, cli: Cli): void {
  const command = account.command("list").description("list all accounts");
  command.action(() =>
    withApi(cli, command, async (api) => {
      present(cli, command, await call(api, "GET", "/accounts"), z.object({ items: z.array(shownAccount) }), toAccountTable);
    }),
  );
  withExamples(command, ["wxdesk account list", "wxdesk account list --json | jq -r '.items[].id'"]);
}

function addShow(account: Command, cli: Cli): void {
  const command = account.command("show").description("show an account; of its secrets, whether they are set").argument("<id>");
  command.action((id: string) =>
    withApi(cli, command, async (api) => {
      present(cli, command, await call(api, "GET", toPath(id)), shownAccount, toAccountText);
    }),
  );
  withExamples(command, ["wxdesk account show shop"]);
}

function addSet(account: Command, cli: Cli): void {
  const command = account.command("set").description("change an account: only what is given changes").argument("<id>");
  addAccountOptions(command).action(async (id: string) => {
    const patch = await readDraft(command, cli.terminal);
    if (Object.keys(patch).length === 0) throw new UsageError("say what should change, such as --desk-url; --help lists everything");
    await withApi(cli, command, async (api) => {
      present(
        cli,
        command,
        await call(api, "PATCH", toPath(id), { body: patch, names: namesOfOptions(command) }),
        shownAccount,
        toAccountText,
      );
    });
  });
  withExamples(command, [
    "wxdesk account set shop --desk-url https://example.udesk.cn/spa1/im_callback",
    "wxdesk account set shop --desk-key-file desk.key      counts at once; wxdesk secret rotate keeps the old one for a while",
    "wxdesk account set shop --no-async                    replies only while a callback is open",
  ]);
}

function addTest(account: Command, cli: Cli): void {
  const command = account
    .command("test")
    .description("check desk and platform of an account; exits 1 when a check fails, 0 when a step is only not done yet")
    .argument("<id>");
  command.action((id: string) =>
    withApi(cli, command, async (api) => {
      const answer = await call(api, "POST", `${toPath(id)}/test`);
      present(cli, command, answer, accountChecks, toChecksText);
      if (!read(accountChecks, answer).checks.every(({ ok }) => ok)) cli.failCheck();
    }),
  );
  withExamples(command, ["wxdesk account test shop"]);
}

function addSwitch(account: Command, cli: Cli, verb: "enable" | "disable", effect: string): void {
  const command = account.command(verb).description(effect).argument("<id>");
  command.action((id: string) =>
    withApi(cli, command, async (api) => {
      const answer = await call(api, "POST", `${toPath(id)}/${verb}`);
      present(cli, command, answer, shownAccount, ({ enabled }) => `Account "${id}" is ${enabled ? "enabled" : "disabled"}: ${effect}.`);
    }),
  );
  withExamples(command, [`wxdesk account ${verb} shop`]);
}

function addRemove(account: Command, cli: Cli): void {
  const command = account
    .command("rm")
    .description("delete an account with all its conversations and messages")
    .argument("<id>")
    .option("--confirm <id>", "the id once more, where nobody can be asked");
  command.action(async (id: string, { confirm }: { confirm?: string }) => {
    const { terminal } = cli;
    if (confirm === undefined && !terminal.isInteractive)
      throw new UsageError(`this deletes all of its conversations; add --confirm ${id}`);
    const message = `This deletes all conversations and messages of "${id}". Type its id to go on`;
    const typed = confirm ?? (await terminal.ask.text({ message }));
    if (typed !== id) throw new UsageError(`that is not "${id}"; nothing was deleted`);
    await withApi(cli, command, async (api) => {
      await call(api, "DELETE", toPath(id), { query: { confirm: typed } });
      terminal.note(`Account "${id}" is deleted.`);
    });
  });
  withExamples(command, ["wxdesk account rm shop", "wxdesk account rm shop --confirm shop"]);
}
