import { type Command, Option } from "commander";
import { pageOf } from "../http/api/schemas/common.ts";
import { type ShownConversation, shownConversation } from "../http/api/schemas/conversation.ts";
import { call } from "./api/api.ts";
import { withApi } from "./api/with-api.ts";
import { type Cli, present, withExamples } from "./cli.ts";
import { parsePast, parseWhole } from "./duration.ts";
import { UsageError } from "./failure.ts";
import { parseId } from "./ids.ts";
import { toMoreLine } from "./more-line.ts";
import { toList, toTable } from "./terminal/table.ts";

interface ListOptions {
  account?: string;
  status?: string;
  agent?: string;
  search?: string;
  since?: string;
  limit?: number;
  cursor?: string;
}

export function addConversationCommands(program: Command, cli: Cli): void {
  const conversation = program.command("conversation").description("who talks with us, and what the desk says of it");
  addList(conversation, cli);
  addShow(conversation, cli);
}

function addList(conversation: Command, cli: Cli): void {
  const command = conversation
    .command("list")
    .description("list conversations, newest first")
    .option("--account <id>", "only of this account")
    .addOption(new Option("--status <status>", "only with this status").choices(["queueing", "chatting", "offline", "unknown"]))
    .option("--agent <name>", "only with this agent")
    .option("--search <text>", "part of open id, nickname, number, e-mail or agent")
    .option("--since <time>", "only changed since then: 2h, 1d or ISO 8601", parsePast)
    .option("--limit <number>", "how many, up to 200", parseWhole)
    .option("--cursor <cursor>", "where the page before ended");
  command.action(({ account, status, agent, search, since, limit, cursor }: ListOptions) =>
    withApi(cli, command, async (api) => {
      const query = { accountId: account, status, agentName: agent, q: search, updatedSince: since, limit, cursor };
      const answer = await call(api, "GET", "/conversations", { query, names: LIST_NAMES });
      present(cli, command, answer, pageOf(shownConversation), (page) => toConversationTable(page, account));
    }),
  );
  withExamples(command, [
    "wxdesk conversation list --status queueing            who is waiting",
    "wxdesk conversation list --account shop --since 2h",
  ]);
}

const LIST_NAMES = {
  accountId: "--account",
  status: "--status",
  agentName: "--agent",
  q: "--search",
  updatedSince: "--since",
  limit: "--limit",
  cursor: "--cursor",
};

function toConversationTable({ items, nextCursor }: { items: ShownConversation[]; nextCursor: string | null }, account?: string): string {
  const rows = items.map(({ id, accountId, openId, status, turn, agentName, lastInboundAt, pending, reply }) => [
    id,
    accountId,
    openId,
    status,
    turn,
    agentName,
    lastInboundAt,
    pending.toDesk + pending.toCustomer,
    reply.held,
    pending.dead + pending.failed + pending.uncertain,
  ]);
  if (rows.length === 0) {
    // A misspelt account must not look like one where nothing happens.
    return `No such conversations${account === undefined ? "." : `; is "${account}" among the accounts of wxdesk account list?`}`;
  }
  const titles = ["ID", "ACCOUNT", "CONTACT", "STATUS", "TURN", "AGENT", "LAST MESSAGE", "PENDING", "HELD", "STOPPED"];
  return toTable(titles, rows) + toMoreLine(nextCursor);
}

function addShow(conversation: Command, cli: Cli): void {
  const command = conversation
    .command("show")
    .description("show a conversation, by its id or by account and contact")
    .argument("[id]", "the conversation's id", parseId("conversation"))
    .option("--account <id>", "with --contact")
    .option("--contact <open id>", "the contact as WeChat names it");
  command.action((id: string | undefined, { account, contact }: { account?: string; contact?: string }) => {
    const path = toPath(id, account, contact);
    return withApi(cli, command, async (api) => {
      present(cli, command, await call(api, "GET", path), shownConversation, toConversationText);
    });
  });
  withExamples(command, [
    "wxdesk conversation show cv_8295deae86566580cd6afb46038dcf78",
    "wxdesk conversation show --account shop --contact oABC123",
  ]);
}

function toPath(id: string | undefined, account: string | undefined, contact: string | undefined): string {
  if (id !== undefined) return `/conversations/${encodeURIComponent(id)}`;
  if (account === undefined || contact === undefined) throw new UsageError("give the conversation's id, or --account and --contact");
  return `/accounts/${encodeURIComponent(account)}/contacts/${encodeURIComponent(contact)}/conversation`;
}

function toConversationText({ contact, reply, pending, ...conversation }: ShownConversation): string {
  return toList([
    ...Object.entries(conversation),
    ...Object.entries(contact).map(([name, value]) => [`contact.${name}`, value] as const),
    ["reply.ways", reply.ways.join(", ") || "none: it would be held"],
    ["reply.windowClosesAt", reply.windowClosesAt],
    ["reply.remaining", reply.remaining],
    ["reply.held", reply.held],
    ...Object.entries(pending).map(([name, value]) => [`pending.${name}`, value] as const),
  ]);
}
