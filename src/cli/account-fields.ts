import { type Command, Option } from "commander";
import { type Draft, put } from "./draft.ts";
import { parseWhole } from "./duration.ts";
import type { FieldNames } from "./field-lines.ts";
import { readDocument, readValue } from "./read-value.ts";
import type { Terminal } from "./terminal/terminal.ts";

const KINDS = ["official_account", "wecom"];

/** Where each option belongs in the document. The API checks the values: it knows them best. */
const FIELDS: readonly [path: string, option: Option, opposite?: Option][] = [
  ["name", new Option("--name <text>", "what people call it")],
  ["wechat.appId", new Option("--app-id <id>", "Official Account: AppID")],
  ["wechat.encryption", new Option("--encryption <mode>", "Official Account: safe, compatible or plain")],
  ["wechat.corpId", new Option("--corp-id <id>", "WeCom: the company's id")],
  ["wechat.agentId", new Option("--agent-id <number>", "WeCom: the app's AgentId").argParser(parseWhole)],
  ["wechat.apiBaseUrl", new Option("--api-base-url <address>", "where the platform's API is reached, if not where it usually is")],
  [
    "wechat.timestampToleranceSeconds",
    new Option("--timestamp-tolerance <seconds>", "how old a callback may be; 0: any age").argParser(parseWhole),
  ],
  ["desk.url", new Option("--desk-url <address>", "the desk's im_callback address")],
  ["desk.timeoutMs", new Option("--desk-timeout <ms>", "how long the desk may take to answer").argParser(parseWhole)],
  ["desk.identity", new Option("--identity <how>", "what stands for an unknown phone and e-mail: empty or synthetic")],
  [
    "desk.requireSign",
    new Option("--require-sign", "refuse pushes of the desk that are not signed"),
    new Option("--no-require-sign", "take them"),
  ],
  [
    "replies.async",
    new Option("--async", "the account may send asynchronous messages"),
    new Option("--no-async", "it may only answer callbacks"),
  ],
  ["replies.notices", new Option("--notices <when>", "hand the desk's notices to the customer: changes, always or never")],
  ["replies.passiveWaitMs", new Option("--passive-wait <ms>", "how long a callback stays open for a reply").argParser(parseWhole)],
];

const SECRETS: readonly [path: string, option: Option, opposite?: Option][] = [
  ["wechat.appSecret", new Option("--app-secret-file <path>", "Official Account: AppSecret")],
  ["wechat.corpSecret", new Option("--corp-secret-file <path>", "WeCom: the app's Secret")],
  ["wechat.token", new Option("--token-file <path>", "callback Token; generated when a new account has none")],
  ["wechat.encodingAesKey", new Option("--encoding-aes-key-file <path>", "callback EncodingAESKey; likewise")],
  ["desk.key", new Option("--desk-key-file <path>", "the desk's KEY")],
];

/** The options that name fields of an account. None takes a secret: those are in files, or `-` is standard input. */
export function addAccountOptions(command: Command): Command {
  command.option("--file <path>", "the account's document (JSON) as in the API; - is standard input; other options win over it");
  for (const [, option, opposite] of [...FIELDS, ...SECRETS]) {
    command.addOption(option);
    if (opposite !== undefined) command.addOption(opposite);
  }
  return command;
}

export function addNewAccountOptions(command: Command): Command {
  command.option("--id <id>", "its name in addresses and commands");
  command.addOption(new Option("--kind <kind>", "what it is at WeChat").choices(KINDS));
  return addAccountOptions(command);
}

/** How the command names an account's fields: by their options; with a file only those whose option was used. */
export function namesOfOptions(command: Command): FieldNames {
  const options = command.opts<Record<string, unknown>>();
  const isUsed = (name: string) => options.file === undefined || options[name] !== undefined;
  const used = [...FIELDS, ...SECRETS].filter(([, option]) => isUsed(option.attributeName()));
  const own = ["id", "kind"].filter(isUsed).map((name) => [name, `--${name}`]);
  return Object.fromEntries([...own, ...used.map(([path, option]) => [path, option.long ?? path])]);
}

/** What file and options say, together. */
export async function readDraft(command: Command, terminal: Pick<Terminal, "readInput">): Promise<Draft> {
  const options = command.opts<Record<string, unknown>>();
  const draft = typeof options.file === "string" ? await readDocument(options.file, terminal) : {};
  for (const path of ["id", "kind"]) if (options[path] !== undefined) put(draft, path, options[path]);
  for (const [path, option] of FIELDS) put(draft, path, options[option.attributeName()]);
  for (const [path, option] of SECRETS) {
    const file = options[option.attributeName()];
    if (typeof file === "string") put(draft, path, await readValue(file, terminal));
  }
  return draft;
}
