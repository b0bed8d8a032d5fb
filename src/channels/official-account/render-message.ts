import { type Article, type Content, type LinkContent, toReadableText } from "../../domain/content.ts";

/**
 * The body of custom/send. What this platform has no form for goes out as readable text: files, places, several articles (a
 * message takes one), and media that are known only by an address.
 */
export function renderMessage(openId: string, content: Content): Record<string, unknown> {
  return { touser: openId, ...(renderNatively(content) ?? { msgtype: "text", text: { content: toReadableText(content) } }) };
}

/** Whether the platform has a form of its own for it. */
export function canRenderMessage(content: Content): boolean {
  return renderNatively(content) !== null;
}

function renderNatively(content: Content): Record<string, unknown> | null {
  switch (content.type) {
    case "image":
      return content.mediaId ? { msgtype: "image", image: { media_id: content.mediaId } } : null;
    case "voice":
      return content.mediaId ? { msgtype: "voice", voice: { media_id: content.mediaId } } : null;
    case "video":
    case "shortvideo": {
      const { mediaId, thumbMediaId, title, description } = content;
      return mediaId ? { msgtype: "video", video: { media_id: mediaId, thumb_media_id: thumbMediaId, title, description } } : null;
    }
    case "link":
      return renderArticle(content);
    case "news": {
      const [article, another] = content.articles;
      return article && !another ? renderArticle(article) : null;
    }
    case "text":
      return { msgtype: "text", text: { content: content.text } };
    default:
      return null;
  }
}

function renderArticle({ title, description, url, pictureUrl }: Article | LinkContent): Record<string, unknown> {
  return { msgtype: "news", news: { articles: [{ title, description, url, picurl: pictureUrl }] } };
}
