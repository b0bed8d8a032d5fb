import { type Command, Option } from "commander";
import type { z } from "zod";
import { pageOf } from "../http/api/schemas/common.ts";
import { type ShownMessage, shownMessage, shownMessageWithAttempts } from "../http/api/schemas/message.ts";
import { call } from "./api/api.ts";
import { withApi } from "./api/with-api.ts";
import { type Cli, present, withExamples } from "./cli.ts";
import { parseWhole } from "./duration.ts";
import { parseId } from "./ids.ts";
import { addMessageRetry } from "./message-retry.ts";
import { toMoreLine } from "./more-line.ts";
import { shorten, toList, toTable } from "./terminal/table.ts";

export function addMessageCommands(program: Command, cli: Cli): void {
  const message = program.command("message").description("what was said, and how it travelled");
  addList(message, cli);
  addShow(message, cli);
  addMessageRetry(message, cli);
}

function addList(message: Command, cli: Cli): void {
  const command = message
    .command("list")
    .description("list the messages of a conversation, newest first")
    .argument("<conversation>", "its id", parseId("conversation"))
    .addOption(new Option("--limit <number>", "how many, up to 200").argParser(parseWhole))
    .option("--cursor <cursor>", "where the page before ended");
  command.action((conversation: string, options: { limit?: number; cursor?: string }) =>
    withApi(cli, command, async (api) => {
      const path = `/conversations/${encodeURIComponent(conversation)}/messages`;
      const answer = await call(api, "GET", path, { query: { ...options }, names: { limit: "--limit", cursor: "--cursor" } });
      present(cli, command, answer, pageOf(shownMessage), toMessageTable);
    }),
  );
  withExamples(command, ["wxdesk message list cv_8295deae86566580cd6afb46038dcf78 --limit 20"]);
}

const TEXT_CHARACTERS_MAX = 40;

function toMessageTable({ items, nextCursor }: { items: ShownMessage[]; nextCursor: string | null }): string {
  const rows = items.map(({ id, createdAt, direction, origin, type, state, way, attempts, text }) => [
    id,
    createdAt,
    direction === "inbound" ? "to desk" : "to customer",
    origin,
    type,
    state,
    way,
    attempts,
    shorten(text, TEXT_CHARACTERS_MAX),
  ]);
  if (rows.length === 0) return "No messages.";
  return toTable(["ID", "WHEN", "DIRECTION", "FROM", "TYPE", "STATE", "WAY", "TRIES", "TEXT"], rows) + toMoreLine(nextCursor);
}

function addShow(message: Command, cli: Cli): void {
  const command = message
    .command("show")
    .description("show a message with every attempt, its code and what that means")
    .argument("<id>", "the message's id", parseId("message"));
  command.action((id: string) =>
    withApi(cli, command, async (api) => {
      present(cli, command, await call(api, "GET", `/messages/${encodeURIComponent(id)}`), shownMessageWithAttempts, toMessageText);
    }),
  );
  withExamples(command, ["wxdesk message show ms_0198c0de0000000000000000"]);
}

function toMessageText({ attempts, content: _content, ...message }: z.output<typeof shownMessageWithAttempts>): string {
  const rows = attempts.map(({ number, startedAt, durationMs, outcome, way, code, detail }) => [
    number,
    startedAt,
    `${durationMs} ms`,
    outcome,
    way,
    code,
    detail,
  ]);
  const tried = rows.length === 0 ? "No attempts yet." : toTable(["TRY", "WHEN", "TOOK", "OUTCOME", "WAY", "CODE", "MEANING"], rows);
  return `${toList(Object.entries(message))}\n\n${tried}`;
}
