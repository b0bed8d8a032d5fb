import { z } from "zod";
import type { Content } from "../../domain/content.ts";
import { isBlank } from "../../domain/sendable-text.ts";
import { toItems } from "./list-items.ts";
import { toStorableText } from "./read.ts";
import { unshownExcept } from "./unsaid.ts";
import { htmlWords, plainWords, written } from "./words.ts";

/** A value that may be missing, null or empty, which all mean the same. */
const optional = written.nullish().transform((value) => toStorableText(value ?? "") || undefined);

/** To a text of blanks WeChat answers that it is empty: the desk hears it while it can still mend it. */
const isNotEmpty = (text: string) => !isBlank(text);

const text = plainWords.refine(isNotEmpty, "content is empty").transform((text): Content => ({ type: "text", text }));
const rich = htmlWords.refine(isNotEmpty, "content has no text").transform((text): Content => ({ type: "text", text }));

/** Title and description of an image or a voice are names that no platform shows, so those two are left out. */
const media = z
  .object({
    ...unshownExcept(["media_id", "url", "pic_url", "picurl", "title", "description"]),
    media_id: optional,
    url: optional,
    pic_url: optional,
    picurl: optional,
    format: optional,
    thumb_media_id: optional,
    title: optional,
    filename: optional,
    description: optional,
  })
  .transform(({ media_id, url, pic_url, picurl, ...rest }) => ({ ...rest, mediaId: media_id, url: url ?? pic_url ?? picurl }))
  .refine(({ mediaId, url }) => mediaId !== undefined || url !== undefined, "expected media_id or url");

const image = media.transform(({ mediaId, url }): Content => ({ type: "image", mediaId, url }));
const voice = media.transform(({ mediaId, url, format }): Content => ({ type: "voice", mediaId, url, format }));
const video = media.transform(({ mediaId, url, thumb_media_id, title, description }): Content => {
  return { type: "video", mediaId, url, thumbMediaId: thumb_media_id, title, description };
});
const file = media.transform(({ mediaId, url, title, filename, description }): Content => {
  return { type: "file", mediaId, url, title: title ?? filename, description };
});

const card = z
  .object({
    ...unshownExcept(["title", "description", "url", "musicurl", "picurl", "pic_url"]),
    title: optional,
    description: optional,
    url: optional,
    musicurl: optional,
    hqmusicurl: optional,
    picurl: optional,
    pic_url: optional,
    thumb_url: optional,
  })
  .transform((card) => ({
    title: card.title ?? "",
    description: card.description ?? "",
    url: card.url ?? card.musicurl ?? card.hqmusicurl ?? "",
    pictureUrl: card.picurl ?? card.pic_url ?? card.thumb_url,
  }));

/** Music has no type of its own here: to the contact it is a link that plays. */
const link = card.refine(({ url }) => url !== "", "expected url").transform((card): Content => ({ type: "link", ...card }));

const article = card.refine(({ title, url }) => title !== "" || url !== "", "expected title or url");
const articles = z.preprocess((value) => (value === undefined ? value : toItems(value)), z.array(article).min(1));
const news = z.object({ ...unshownExcept(["articles"]), articles }).transform(({ articles }): Content => {
  return { type: "news", articles: articles.map((card) => ({ ...card, pictureUrl: card.pictureUrl ?? "" })) };
});

/** By `msgtype`, what stands under that name. */
export const contentSchemas: ReadonlyMap<string, z.ZodType<Content>> = new Map<string, z.ZodType<Content>>([
  ["text", text],
  ["rich", rich],
  ["image", image],
  ["voice", voice],
  ["video", video],
  ["file", file],
  ["music", link],
  ["link", link],
  ["news", news],
]);
