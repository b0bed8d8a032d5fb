import { DecodeError } from "../base/errors.ts";
import type { Article, Content } from "../domain/content.ts";
import { isBlank } from "../domain/sendable-text.ts";
import { cdata } from "./xml.ts";

/**
 * The XML that says `content` on a callback's response, plain; accounts with encryption seal it (envelope.ts). `createdAt` is an
 * argument so that a repeated callback gets the same bytes.
 * (developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html)
 * @throws DecodeError CONTENT_UNSUPPORTED for what `canRenderPassively` denies, however many articles are allowed
 */
export function renderPassiveReply(to: { openId: string; accountName: string }, content: Content, createdAt: Date): string {
  const body = renderBody(content);
  if (body === null) throw new DecodeError("CONTENT_UNSUPPORTED", `a ${content.type} message cannot ride on a callback's response`);
  // The reply goes the other way, so the names change places: it is *from* the account.
  return (
    `<xml><ToUserName>${cdata(to.openId)}</ToUserName><FromUserName>${cdata(to.accountName)}</FromUserName>` +
    `<CreateTime>${Math.floor(createdAt.getTime() / 1_000)}</CreateTime>${body}</xml>`
  );
}

/** `articlesMax` is the platform's limit of one reply: 1 for Official Accounts (since October 2018), 8 for WeCom. */
export function canRenderPassively(content: Content, articlesMax: number): boolean {
  return renderBody(content) !== null && (content.type !== "news" || content.articles.length <= articlesMax);
}

function renderBody(content: Content): string | null {
  switch (content.type) {
    case "text":
      // To an empty text WeChat answers the customer that the account is out of order.
      return isBlank(content.text) ? null : typed("text", `<Content>${cdata(content.text)}</Content>`);
    case "image":
      return content.mediaId ? typed("image", `<Image>${mediaId(content.mediaId)}</Image>`) : null;
    case "voice":
      return content.mediaId ? typed("voice", `<Voice>${mediaId(content.mediaId)}</Voice>`) : null;
    case "video":
    case "shortvideo":
      return content.mediaId
        ? typed(
            "video",
            `<Video>${mediaId(content.mediaId)}${optional("Title", content.title)}${optional("Description", content.description)}</Video>`,
          )
        : null;
    case "news":
      return content.articles.length > 0 ? renderNews(content.articles) : null;
    case "link":
      return renderNews([{ ...content, pictureUrl: content.pictureUrl ?? "" }]);
    default:
      return null;
  }
}

function renderNews(articles: Article[]): string {
  const items = articles.map(
    ({ title, description, pictureUrl, url }) =>
      `<item><Title>${cdata(title)}</Title><Description>${cdata(description)}</Description>` +
      `<PicUrl>${cdata(pictureUrl)}</PicUrl><Url>${cdata(url)}</Url></item>`,
  );
  return typed("news", `<ArticleCount>${articles.length}</ArticleCount><Articles>${items.join("")}</Articles>`);
}

function typed(msgType: string, fields: string): string {
  return `<MsgType>${cdata(msgType)}</MsgType>${fields}`;
}

function mediaId(id: string): string {
  return `<MediaId>${cdata(id)}</MediaId>`;
}

function optional(name: string, text: string | undefined): string {
  return text ? `<${name}>${cdata(text)}</${name}>` : "";
}
