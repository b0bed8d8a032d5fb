import { DecodeError } from "../../base/errors.ts";
import { child, childText, parseXml, type XmlElement } from "../../wechat/xml.ts";
import { toTypeName } from "./push-envelope.ts";

/**
 * A WeChat-like XML push as the customer-service object that says the same, so that one set of rules reads both. Media and articles
 * may stand at the top, as in messages, or in an element of their own, as in passive replies.
 * @throws DecodeError
 */
export function parseXmlPush(xml: string, ourName: string): Record<string, unknown> {
  const root = parseXml(xml);
  const msgtype = toTypeName(childText(root, "MsgType"));
  return {
    ...toContent(root, msgtype),
    ...rename(root, ENVELOPE_NAMES),
    touser: toOpenId(root, ourName),
    msgtype,
  };
}

const ENVELOPE_NAMES: ReadonlyMap<string, string> = new Map([
  ["MsgId", "MsgId"],
  ["Command", "command"],
  ["Status", "status"],
  ["status", "status"],
  ["Turn", "turn"],
  ["turn", "turn"],
  ["AgentName", "agent_name"],
  ["agent_name", "agent_name"],
  ["Msg", "msg"],
  ["msg", "msg"],
]);

const BODY_NAMES: ReadonlyMap<string, string> = new Map([
  ["Content", "content"],
  ["MediaId", "media_id"],
  ["PicUrl", "picurl"],
  ["Format", "format"],
  ["ThumbMediaId", "thumb_media_id"],
  ["ThumbUrl", "thumb_url"],
  ["Title", "title"],
  ["Description", "description"],
  ["Url", "url"],
  ["MusicUrl", "musicurl"],
  ["HQMusicUrl", "hqmusicurl"],
]);

/** The top-level elements are the content; when the type has an element of its own, that is the content and they stand beside it. */
function toContent(root: XmlElement, msgtype: string): Record<string, unknown> {
  const top = rename(root, BODY_NAMES);
  if (msgtype === "") return top;
  const own = child(root, msgtype.charAt(0).toUpperCase() + msgtype.slice(1));
  const articles = child(root, "Articles")?.children.map((item) => rename(item, BODY_NAMES));
  const body = own ? rename(own, BODY_NAMES) : top;
  return { ...(own && top), [msgtype]: { ...body, ...(articles && { articles }) } };
}

function rename(element: XmlElement, names: ReadonlyMap<string, string>): Record<string, string> {
  const fields = new Map<string, string>();
  for (const { name, text, children } of element.children) {
    const field = names.get(name);
    if (field === undefined) continue;
    if (children.length > 0) throw new DecodeError("MESSAGE_INVALID", `${name} has elements in it; put its text into CDATA`);
    if (fields.has(field)) throw new DecodeError("MESSAGE_INVALID", `XML says ${name} twice; send a push of its own for each`);
    fields.set(field, text);
  }
  return Object.fromEntries(fields);
}

/** Either name may be the contact's. It is the one that is not ours; if both could be, the receiver, as WeChat has it. */
function toOpenId(root: XmlElement, ourName: string): string {
  const names = ["ToUserName", "FromUserName"].map((name) => childText(root, name)?.trim() ?? "").filter((name) => name !== "");
  const openId = names.find((name) => name !== ourName && !name.startsWith("gh_")) ?? names[0];
  if (openId === undefined) throw new DecodeError("MESSAGE_INVALID", "XML has neither ToUserName nor FromUserName");
  return openId;
}
