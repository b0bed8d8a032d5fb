import { z } from "zod";
import { DecodeError } from "../../base/errors.ts";
import type { Content } from "../../domain/content.ts";
import type { StatusReport } from "../../domain/conversation.ts";
import type { PushedReply } from "../../domain/desk.ts";
import { isBlank } from "../../domain/sendable-text.ts";
import { contentSchemas } from "./customer-service-content.ts";
import { findWords } from "./find-words.ts";
import { toItems } from "./list-items.ts";
import { openIdSchema, readPushId, toTypeName } from "./push-envelope.ts";
import { isReceipt, readPushReport } from "./push-report.ts";
import { isRecord, read, toStorableText } from "./read.ts";
import { PART_NAMES, refuseBeside, refuseUnsaid } from "./unsaid.ts";
import { htmlWords, plainWords } from "./words.ts";

/**
 * The push of Udesk's open API: `customer_token` and a list of `messages`, which for a robot is one object.
 * @throws DecodeError
 */
export function readCustomerMessages(fields: Record<string, unknown>): PushedReply[] {
  const openId = read(openIdSchema, fields.customer_token, "customer_token");
  const report = readPushReport(fields);
  const beside = fields.messages === undefined ? "but no messages" : "beside its messages";
  refuseUnsaid(fields, [...contentSchemas.keys(), ...PART_NAMES], `${beside}; put it into messages`);
  if (fields.messages === undefined) {
    if (report !== null) return [{ openId, pushId: null, content: null, report }];
    if (isReceipt(fields)) return [];
  }
  const messages = read(messagesSchema, fields.messages, "messages");
  return messages.map((message, index) => toReply(message, `messages.${index}`, { openId, shared: report })).filter(saysSomething);
}

const messageSchema = z.custom<Record<string, unknown>>(isRecord, "expected an object");
const messagesSchema = z.preprocess(toItems, z.array(messageSchema));

interface Shared {
  openId: string;
  shared: StatusReport | null;
}

function toReply(message: Record<string, unknown>, place: string, { openId, shared }: Shared): PushedReply {
  // Only the agent's name: a single message may have a `status` of its own, which is not the conversation's.
  const own = readPushReport({ agent_name: message.agent_name });
  const report = shared || own ? { ...shared, ...own } : null;
  return { openId, pushId: readPushId(message), content: readContent(message, place), report };
}

function saysSomething({ content, report }: PushedReply): boolean {
  return content !== null || report !== null;
}

/** Session events: they carry no text for the contact. */
const SESSION_EVENTS: ReadonlySet<string> = new Set(["start_session", "transfer", "close"]);

/** Null for what has no words: session events, unknown types without any (Udesk asks to ignore them), and texts of blanks. */
function readContent(message: Record<string, unknown>, place: string): Content | null {
  const { data } = message;
  const type = toTypeName(message.type);
  if (SESSION_EVENTS.has(type)) return null;
  if (TYPES.includes(type) && isRecord(data))
    refuseBeside(message, data, `beside the data of ${place}; put it there, or into a message of its own`);
  switch (type) {
    case "message":
      return toText(read(plainWords, data, `${place}.data`));
    case "rich":
      return toText(read(htmlWords, data, `${place}.data`));
    case "image":
      return { type: "image", url: read(fileSchema, data, `${place}.data`).content };
    case "file": {
      const { content, filename, title, description } = read(fileSchema, data, `${place}.data`);
      const name = filename || title;
      return { type: "file", url: content, ...(name && { title: name }), ...(description && { description }) };
    }
    default:
      refuseWords(message, place);
      return null;
  }
}

/** @throws DecodeError MESSAGE_INVALID */
function refuseWords(message: Record<string, unknown>, place: string): void {
  const words = findWords(message, place);
  if (words === null) return;
  throw new DecodeError(
    "MESSAGE_INVALID",
    `push has ${words} in a message whose type is none of ${TYPES.join(", ")}; send it as one of these`,
  );
}

const TYPES = ["message", "rich", "image", "file"];

const storable = z.string().transform(toStorableText);
/** `content` is the address. */
const fileSchema = z.object({
  content: storable.refine((address) => address !== "", "is empty"),
  filename: storable.nullish(),
  title: storable.nullish(),
  description: storable.nullish(),
});

function toText(text: string): Content | null {
  return isBlank(text) ? null : { type: "text", text };
}
