import { type Command, Option } from "commander";
import { z } from "zod";
import { call } from "./api/api.ts";
import { withApi } from "./api/with-api.ts";
import { type Cli, present, withExamples } from "./cli.ts";
import { parseDuration } from "./duration.ts";
import { parseId } from "./ids.ts";
import { toTable } from "./terminal/table.ts";

const shownKey = z.object({
  id: z.string(),
  name: z.string(),
  role: z.string(),
  accountIds: z.array(z.string()),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});
const createdKey = shownKey.extend({ key: z.string() });

interface CreateOptions {
  name: string;
  role: string;
  account?: string[];
  expires?: number;
}

export function addKeyCommands(program: Command, cli: Cli): void {
  const key = program.command("key").description("API keys");
  addCreate(key, cli);
  addList(key, cli);
  addRemove(key, cli);
}

function addCreate(key: Command, cli: Cli): void {
  const command = key
    .command("create")
    .description("make an API key, and print it this once")
    .requiredOption("--name <text>", "who or what it is for")
    .addOption(new Option("--role <role>", "what it may do").choices(["viewer", "operator", "admin"]).makeOptionMandatory())
    .option("--account <id...>", "good for these accounts only")
    .option("--expires <time>", "good for this long, such as 12h or 90d; else until it is removed", parseDuration);
  command.action(({ name, role, account, expires }: CreateOptions) =>
    withApi(cli, command, async (api) => {
      const body = {
        name,
        role,
        ...(account !== undefined && { accountIds: account }),
        ...(expires !== undefined && { expiresAt: new Date(Date.now() + expires).toISOString() }),
      };
      // Alone on standard output, so that it can be put into a file without having been on a screen.
      present(cli, command, await call(api, "POST", "/api-keys", { body, names: CREATE_NAMES }), createdKey, (created) => {
        cli.terminal.note(`Key ${created.id} (${created.role}) is made. It is shown this once:`);
        return created.key;
      });
    }),
  );
  withExamples(command, [
    "wxdesk key create --name dashboard --role viewer",
    "wxdesk key create --name bot --role operator --account shop --expires 90d > bot.key",
  ]);
}

const CREATE_NAMES = { name: "--name", role: "--role", accountIds: "--account", expiresAt: "--expires" };

function addList(key: Command, cli: Cli): void {
  const command = key.command("list").description("list all keys, without their values");
  command.action(() =>
    withApi(cli, command, async (api) => {
      present(cli, command, await call(api, "GET", "/api-keys"), z.object({ items: z.array(shownKey) }), ({ items }) =>
        toTable(
          ["ID", "NAME", "ROLE", "ACCOUNTS", "EXPIRES", "LAST USED"],
          items.map(({ id, name, role, accountIds, expiresAt, lastUsedAt }) => [
            id,
            name,
            role,
            accountIds.join(", ") || "all",
            expiresAt ?? "never",
            lastUsedAt ?? "never",
          ]),
        ),
      );
    }),
  );
  withExamples(command, ["wxdesk key list"]);
}

function addRemove(key: Command, cli: Cli): void {
  const command = key.command("rm").description("remove a key; it is refused from now on").argument("<id>", "the key's id", parseId("key"));
  command.option("--confirm <id>", "the id once more, for the key that WXDESK_ADMIN_KEY brings back at each start");
  command.action((id: string, { confirm }: { confirm?: string }) =>
    withApi(cli, command, async (api) => {
      await call(api, "DELETE", `/api-keys/${encodeURIComponent(id)}`, { query: { confirm } });
      cli.terminal.note(`Key ${id} is removed.`);
    }),
  );
  withExamples(command, ["wxdesk key rm key_first"]);
}
