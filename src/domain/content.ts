/**
 * What a message says, in either direction, free of any vendor's spelling. Every value that a person or a platform wrote is kept
 * as the string it was: ids, coordinates and keys are never numbers, so that no digit or blank can be lost.
 */
export type Content =
  | TextContent
  | ImageContent
  | VoiceContent
  | VideoContent
  | LocationContent
  | LinkContent
  | FileContent
  | NewsContent
  | MiniProgramContent
  | EventContent
  | UnsupportedContent;

export type ContentType = Content["type"];

export interface TextContent {
  type: "text";
  text: string;
  /** The entry of a menu message that the contact tapped. */
  menuId?: string;
}

/** `mediaId` is the channel's own id of a temporary media; `url` is where the picture can be fetched. At least one is set. */
export interface ImageContent {
  type: "image";
  mediaId?: string;
  url?: string;
}

export interface VoiceContent {
  type: "voice";
  mediaId?: string;
  url?: string;
  format?: string;
  recognition?: string;
}

export interface VideoContent {
  type: "video" | "shortvideo";
  mediaId?: string;
  url?: string;
  thumbMediaId?: string;
  title?: string;
  description?: string;
}

export interface LocationContent {
  type: "location";
  latitude: string;
  longitude: string;
  scale?: string;
  label?: string;
}

export interface LinkContent {
  type: "link";
  title: string;
  description: string;
  url: string;
  pictureUrl?: string;
}

export interface FileContent {
  type: "file";
  title?: string;
  description?: string;
  mediaId?: string;
  url?: string;
  /** What an Official Account tells of a file that cannot be fetched: key, MD5 and length as sent. */
  fileKey?: string;
  md5?: string;
  length?: string;
}

export interface Article {
  title: string;
  description: string;
  url: string;
  pictureUrl: string;
}

export interface NewsContent {
  type: "news";
  articles: Article[];
}

export interface MiniProgramContent {
  type: "miniprogrampage";
  title: string;
  appId: string;
  pagePath: string;
  thumbUrl?: string;
  thumbMediaId?: string;
}

/** Something the contact did. `event` is lower case; `vendorEvent` is the name as the platform wrote it. */
export interface EventContent {
  type: "event";
  event: string;
  vendorEvent: string;
  key?: string;
  /** The event's other leaf fields, by the platform's names. */
  fields: Record<string, string>;
}

/** Genuine but unknown to us: kept whole, so that nothing is lost. */
export interface UnsupportedContent {
  type: "unsupported";
  vendorType: string;
  fields: Record<string, string>;
}

/** A line that a person can read in place of the content: what lists show, and what a desk gets that cannot take the type itself. */
export function toReadableText(content: Content): string {
  switch (content.type) {
    case "text":
      return content.text;
    case "image":
      return join("[image]", content.url ?? content.mediaId);
    case "voice":
      return join("[voice]", content.recognition || content.url || content.mediaId);
    case "video":
    case "shortvideo":
      return join("[video]", content.title, content.url ?? content.mediaId);
    case "location":
      return join("[location]", content.label, `${content.latitude},${content.longitude}`);
    case "link":
      return join("[link]", content.title, content.description, content.url);
    case "file":
      return join("[file]", content.title, content.url ?? content.mediaId);
    case "news":
      return content.articles.map((article) => join("[news]", article.title, article.url)).join("\n");
    case "miniprogrampage":
      return join("[mini program]", content.title, content.pagePath);
    case "event":
      return join("[event]", content.vendorEvent, content.key);
    case "unsupported":
      return join("[unsupported message]", content.vendorType);
  }
}

/** The content as a text message, for a way that has no form of its own for it. */
export function toTextContent(content: Content): TextContent {
  return content.type === "text" ? content : { type: "text", text: toReadableText(content) };
}

function join(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" ");
}

const EVENTS_FOR_THE_DESK: ReadonlySet<string> = new Set(["subscribe", "unsubscribe", "scan", "click"]);

/**
 * Whether an agent should see it. Everything a contact says, and of what a contact merely does, following, leaving, scanning
 * and pressing a menu button; positions, page views and platform bookkeeping are stored and go no further.
 */
export function concernsDesk(content: Content): boolean {
  return content.type !== "event" || EVENTS_FOR_THE_DESK.has(content.event);
}
