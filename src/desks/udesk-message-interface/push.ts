import type { Account } from "../../domain/account.ts";
import { validAt } from "../../domain/credential.ts";
import type { OpenedPush, PushedReply, PushRequest } from "../../domain/desk.ts";
import { DecodeError } from "../../domain/errors.ts";
import { readCustomerMessages } from "./customer-messages.ts";
import { readCustomerService } from "./customer-service.ts";
import type { UdeskDeps } from "./deps.ts";
import { authorizePush } from "./push-authorization.ts";
import { parseForm } from "./push-form.ts";
import { parseJson } from "./push-json.ts";
import { parseXmlPush } from "./push-xml.ts";
import { isRecord } from "./read.ts";

export type OpenPushDeps = Pick<UdeskDeps, "account" | "keys" | "now">;

/**
 * Reads a push. Udesk does not publish its form, so three are taken. All or nothing: one message that cannot be read refuses the
 * push, which then has changed nothing.
 * @throws VerificationError PUSH_UNAUTHORIZED, DecodeError
 */
export function openPush({ query, contentType, body }: PushRequest, { account, keys, now }: OpenPushDeps): OpenedPush {
  authorizePush(query, { keys: validAt(keys, now()), requireSign: account.desk.requireSign });
  const { form, fields } = parse(toText(body), contentType ?? "", account);
  const replies = readReplies(form, fields);
  if (replies.length > REPLIES_MAX) {
    throw new DecodeError("MESSAGE_INVALID", `push has ${replies.length} messages, at most ${REPLIES_MAX} are taken`);
  }
  return { replies };
}

const REPLIES_MAX = 100;

function toText(body: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch (cause) {
    throw new DecodeError("MESSAGE_INVALID", "body is not UTF-8", { cause });
  }
}

interface ParsedPush {
  form: "JSON" | "form" | "XML";
  fields: unknown;
}

/** The body's first character decides; the content type is asked only where that leaves the matter open, for senders often get it wrong. */
function parse(body: string, contentType: string, account: Account): ParsedPush {
  const text = body.trimStart();
  if (text.startsWith("<")) return { form: "XML", fields: parseXmlPush(text, toOurName(account)) };
  if (/^[{[]/.test(text)) return { form: "JSON", fields: parseJson(text) };
  if (/^[\w%[\].-]+=/.test(text) || contentType.includes("x-www-form-urlencoded")) return { form: "form", fields: parseForm(text) };
  if (contentType.includes("json")) return { form: "JSON", fields: parseJson(text) };
  throw new DecodeError("MESSAGE_INVALID", "body is neither JSON nor XML nor a form");
}

function toOurName(account: Account): string {
  return account.kind === "official_account" ? account.wechat.appId : account.wechat.corpId;
}

function readReplies(form: ParsedPush["form"], fields: unknown): PushedReply[] {
  if (isRecord(fields) && Object.hasOwn(fields, "touser")) return readCustomerService(fields);
  if (isRecord(fields) && Object.hasOwn(fields, "customer_token")) return readCustomerMessages(fields);
  throw new DecodeError("MESSAGE_INVALID", `${form} has neither touser nor customer_token`);
}
