import { type Article, type Content, type LinkContent, toReadableText } from "../../domain/content.ts";

// WeCom cuts longer texts (wechat.md §7 and §8) and refuses more articles.
export const TEXT_BYTES_MAX = 2_048;
export const ARTICLES_MAX = 8;

/** The body of message/send. What WeCom has no form for goes out as readable text, so do media that are known only by an address. */
export function renderMessage(userId: string, agentId: number, content: Content): WecomMessage {
  return { touser: userId, agentid: agentId, ...(renderNatively(content) ?? renderText(content)) };
}

export interface WecomMessage extends Rendered {
  touser: string;
  agentid: number;
}

interface Rendered {
  msgtype: string;
  text?: { content: string };
  [field: string]: unknown;
}

/** Whether the platform has a form of its own for it. */
export function canRenderMessage(content: Content): boolean {
  return renderNatively(content) !== null;
}

function renderNatively(content: Content): Rendered | null {
  switch (content.type) {
    case "image":
      return content.mediaId ? { msgtype: "image", image: { media_id: content.mediaId } } : null;
    case "voice":
      return content.mediaId ? { msgtype: "voice", voice: { media_id: content.mediaId } } : null;
    case "video":
    case "shortvideo": {
      const { mediaId, title, description } = content;
      return mediaId ? { msgtype: "video", video: { media_id: mediaId, title, description } } : null;
    }
    case "file":
      return content.mediaId ? { msgtype: "file", file: { media_id: content.mediaId } } : null;
    case "link":
      return renderNews([content]);
    case "news":
      return content.articles.length > 0 && content.articles.length <= ARTICLES_MAX ? renderNews(content.articles) : null;
    case "text":
      return { msgtype: "text", text: { content: content.text } };
    default:
      return null;
  }
}

function renderNews(articles: (Article | LinkContent)[]): Rendered {
  const items = articles.map(({ title, description, url, pictureUrl }) => ({ title, description, url, picurl: pictureUrl }));
  return { msgtype: "news", news: { articles: items } };
}

function renderText(content: Content): Rendered {
  return { msgtype: "text", text: { content: toReadableText(content) } };
}
