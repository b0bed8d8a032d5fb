import { ARTICLES_MAX } from "./wechat-limits.ts";

/** One message of an asynchronous send, checked against the table of wechat.md §8. */
export interface SendBody {
  touser: string;
  type: string;
  text?: string;
  mediaId?: string;
  /** Every media id in it: the message's own and its thumb. */
  mediaIds: string[];
  /** The whole JSON, for what only some types or platforms have. */
  json: Json;
}

export type Json = Readonly<Record<string, unknown>>;

type Shapes = Readonly<Record<string, readonly string[]>>;

/** msgtype → fields that must be there, none of them empty. */
const OFFICIAL_ACCOUNT_SHAPES: Shapes = {
  text: ["content"],
  image: ["media_id"],
  voice: ["media_id"],
  video: ["media_id"],
  music: ["musicurl", "hqmusicurl", "thumb_media_id"],
  news: [],
  mpnewsarticle: ["article_id"],
  msgmenu: ["head_content"],
  wxcard: ["card_id"],
  miniprogrampage: ["title", "appid", "pagepath", "thumb_media_id"],
};

const WECOM_SHAPES: Shapes = {
  text: ["content"],
  image: ["media_id"],
  voice: ["media_id"],
  video: ["media_id"],
  file: ["media_id"],
  textcard: ["title", "description", "url"],
  news: [],
  markdown: ["content"],
};

/** A \u escape that JSON would read as one: a backslash before it, itself escaped, makes it the customer's own text. */
const UNICODE_ESCAPE = /(?<!\\)(?:\\\\)*\\u[0-9a-f]{4}/i;

/** The body, or the code of the refusal. */
export function readSendBody(raw: string, kind: "official_account" | "wecom"): SendBody | number {
  const json = parseObject(raw);
  if (!json) return raw.trim() === "" ? 44004 : 47001;
  if (kind === "official_account" && UNICODE_ESCAPE.test(raw)) return 40033;

  const type = stringIn(json, "msgtype") ?? "";
  const shape = (kind === "wecom" ? WECOM_SHAPES : OFFICIAL_ACCOUNT_SHAPES)[type];
  if (!shape) return 40008;
  const part = json[type];
  if (!isJson(part)) return 44004;
  const missing = shape.find((field) => !stringIn(part, field));
  if (missing) return missing.endsWith("media_id") ? 40007 : 44004;
  if (type === "news" && !hasArticles(part.articles, ARTICLES_MAX[kind])) return 45008;

  const mediaId = stringIn(part, "media_id");
  const mediaIds = [mediaId, stringIn(part, "thumb_media_id")].filter((id) => id !== undefined);
  const text = stringIn(part, "content");
  return { touser: stringIn(json, "touser") ?? "", type, text, mediaId, mediaIds, json };
}

function hasArticles(articles: unknown, max: number): boolean {
  if (!Array.isArray(articles) || articles.length === 0 || articles.length > max) return false;
  return articles.every((article) => isJson(article) && stringIn(article, "title"));
}

function parseObject(raw: string): Json | null {
  try {
    const value: unknown = JSON.parse(raw);
    return isJson(value) ? value : null;
  } catch {
    return null;
  }
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function stringIn(json: Json, name: string): string | undefined {
  const value = json[name];
  return typeof value === "string" ? value : undefined;
}
