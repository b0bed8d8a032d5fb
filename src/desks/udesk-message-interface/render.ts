import type { DeskSettings } from "../../domain/account.ts";
import { type Article, type Content, toReadableText } from "../../domain/content.ts";
import type { Message } from "../../domain/message.ts";
import { cdata } from "../../wechat/xml.ts";
import { toMsgId } from "./msg-id.ts";
import type { Identity } from "./sign.ts";

export interface RenderContext {
  openId: string;
  identity: Identity;
  types: DeskSettings["types"];
}

/** The XML that tells Udesk of one message. The same message always gives the same bytes, its MsgId included. */
export function render(message: Message, { openId, identity, types }: RenderContext): string {
  const content = types[message.content.type] === "text" ? toText(message.content) : message.content;
  const { msgType, elements } = toElements(content);
  return [
    "<xml>",
    element("FromUserName", openId),
    element("Number", identity.number),
    element("Email", identity.email),
    // Whole seconds and decimal digits: Udesk casts both with Ruby's to_i.
    `<CreateTime>${Math.floor(message.sentAt.getTime() / 1000)}</CreateTime>`,
    element("MsgType", msgType),
    `<MsgId>${toMsgId(message)}</MsgId>`,
    elements,
    "</xml>",
  ].join("");
}

interface Body {
  msgType: string;
  elements: string;
}

function toElements(content: Content): Body {
  switch (content.type) {
    case "text":
      return body("text", { Content: content.text });
    case "image":
      return body("image", { PicUrl: content.url, MediaId: content.mediaId });
    case "voice":
      return body("voice", { MediaId: content.mediaId, Format: content.format, Recognition: content.recognition });
    case "video":
    case "shortvideo":
      return body(content.type, { MediaId: content.mediaId, ThumbMediaId: content.thumbMediaId });
    case "location":
      return body("location", {
        Location_X: content.latitude,
        Location_Y: content.longitude,
        Scale: content.scale,
        Label: content.label,
      });
    case "link":
      return body("link", { Title: content.title, Description: content.description, Url: content.url });
    case "event":
      return body("event", { Event: content.vendorEvent, EventKey: content.key });
    case "miniprogrampage":
      return body("miniprogrampage", {
        Title: content.title,
        AppId: content.appId,
        PagePath: content.pagePath,
        ThumbUrl: content.thumbUrl,
        ThumbMediaId: content.thumbMediaId,
      });
    case "news":
      return { msgType: "news", elements: articles(content.articles) };
    case "file":
      // Udesk's form for a file is an article with an address. Without one an agent would see a card that leads nowhere.
      if (content.url === undefined) return toElements(toText(content));
      return {
        msgType: "file",
        elements: articles([{ title: content.title ?? "", description: content.description ?? "", url: content.url, pictureUrl: "" }]),
      };
    case "unsupported":
      return toElements(toText(content));
  }
}

function toText(content: Content): Content {
  return { type: "text", text: toReadableText(content) };
}

function body(msgType: string, values: Record<string, string | undefined>): Body {
  return { msgType, elements: elementsOf(values) };
}

function articles(list: readonly Article[]): string {
  const items = list.map(({ title, description, pictureUrl, url }) => {
    return `<item>${elementsOf({ Title: title, Description: description, PicUrl: pictureUrl, Url: url })}</item>`;
  });
  return `<ArticleCount>${list.length}</ArticleCount><Articles>${items.join("")}</Articles>`;
}

function elementsOf(values: Record<string, string | undefined>): string {
  return Object.entries(values)
    .map(([name, value]) => (value === undefined ? "" : element(name, value)))
    .join("");
}

function element(name: string, value: string): string {
  return `<${name}>${cdata(value)}</${name}>`;
}
