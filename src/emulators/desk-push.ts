import { cdata } from "../wechat/xml.ts";
import type { Exchanged } from "./exchange.ts";

/** The forms that a push may come in; Udesk publishes none (udesk.md A, "Push"). */
export type PushForm = "json" | "form" | "xml";

export interface PushOptions {
  as?: PushForm;
  /** The desk's own id of the message. */
  messageId?: string;
  /** What the push says of the conversation besides. */
  status?: string;
  turn?: number;
  agentName?: string;
  /** Without a sign in the query; it has a valid one otherwise. */
  unsigned?: boolean;
}

export interface PushBody {
  contentType: string;
  body: string;
}

/** How the gateway answered. */
export interface PushResult extends Exchanged {
  /** The answer as JSON; null when it is none. */
  ack: unknown;
}

/** What an agent attaches: known to WeChat by its id, or to the desk by its address. */
export type PushMedia = { type: "image" | "voice" | "video" | "file"; title?: string } & ({ mediaId: string } | { url: string });
export type PushContent = { type: "text"; text: string } | PushMedia;

/** A WeChat customer-service object as JSON or form, or WeChat-like XML, with the desk's additions at the top level. */
export function renderPush(openId: string, content: PushContent, options: PushOptions, now: Date): PushBody {
  switch (options.as ?? "json") {
    case "json":
      return { contentType: "application/json", body: JSON.stringify(toObject(openId, content, options)) };
    case "form":
      return { contentType: "application/x-www-form-urlencoded", body: toForm(toObject(openId, content, options)).toString() };
    case "xml":
      return { contentType: "text/xml", body: toXml(openId, content, options, now) };
  }
}

function toObject(openId: string, content: PushContent, { messageId, status, turn, agentName }: PushOptions) {
  const part = content.type === "text" ? { content: content.text } : toMediaPart(content);
  return { touser: openId, msgtype: content.type, [content.type]: part, message_id: messageId, status, turn, agent_name: agentName };
}

function toMediaPart(media: PushMedia): Record<string, string> {
  const { title } = media;
  return { ...("url" in media ? { url: media.url } : { media_id: media.mediaId }), ...(title !== undefined && { title }) };
}

/** Nested objects become brackets: text[content]=… (udesk.md B, "Push body"). */
function toForm(object: Record<string, unknown>): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(object)) {
    if (typeof value === "object" && value !== null) {
      for (const [inner, text] of Object.entries(value)) form.append(`${name}[${inner}]`, String(text));
    } else if (value !== undefined) form.append(name, String(value));
  }
  return form;
}

function toXml(openId: string, content: PushContent, { messageId, status, turn, agentName }: PushOptions, now: Date): string {
  const elements = {
    ToUserName: cdata(openId),
    CreateTime: String(Math.floor(now.getTime() / 1000)),
    MsgType: cdata(content.type),
    ...(content.type === "text" ? { Content: cdata(content.text) } : toMediaElements(content)),
    MsgId: messageId,
    AgentName: agentName && cdata(agentName),
    status,
    turn,
  };
  const present = Object.entries(elements).filter(([, value]) => value !== undefined);
  return `<xml>${present.map(([name, value]) => `<${name}>${value}</${name}>`).join("")}</xml>`;
}

function toMediaElements(media: PushMedia): Record<string, string> {
  return "url" in media ? { Url: cdata(media.url) } : { MediaId: cdata(media.mediaId) };
}
