import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Article, Content } from "../../src/domain/content.ts";
import { flatTexts } from "../../src/wechat/fields.ts";
import { canRenderPassively, renderPassiveReply } from "../../src/wechat/passive-reply.ts";
import { childText, parseXml } from "../../src/wechat/xml.ts";

const to = { openId: "o1", accountName: "gh_1" };
const createdAt = new Date(1_713_424_427_999);
const frame = { ToUserName: "o1", FromUserName: "gh_1", CreateTime: "1713424427" };

function article(title: string): Article {
  return { title, description: `about ${title}`, url: `https://example.com/?t=${title}&u=1`, pictureUrl: "https://example.com/p.png" };
}

const rendered: [string, Content, Record<string, string>][] = [
  ["text", { type: "text", text: "你好 <b>]]>&amp;" }, { MsgType: "text", Content: "你好 <b>]]>&amp;" }],
  ["image", { type: "image", mediaId: "m1", url: "https://example.com/p.png" }, { MsgType: "image", "Image.MediaId": "m1" }],
  ["voice", { type: "voice", mediaId: "m1" }, { MsgType: "voice", "Voice.MediaId": "m1" }],
  ["video", { type: "video", mediaId: "m1" }, { MsgType: "video", "Video.MediaId": "m1" }],
  [
    "video with a title",
    { type: "shortvideo", mediaId: "m1", title: "t", description: "d" },
    { MsgType: "video", "Video.MediaId": "m1", "Video.Title": "t", "Video.Description": "d" },
  ],
  [
    "link, as one article",
    { type: "link", title: "t", description: "d", url: "https://example.com/" },
    {
      MsgType: "news",
      ArticleCount: "1",
      "Articles.item.Title": "t",
      "Articles.item.Description": "d",
      "Articles.item.PicUrl": "",
      "Articles.item.Url": "https://example.com/",
    },
  ],
  [
    "news",
    { type: "news", articles: [article("a"), article("b")] },
    {
      MsgType: "news",
      ArticleCount: "2",
      "Articles.item[0].Title": "a",
      "Articles.item[0].Description": "about a",
      "Articles.item[0].PicUrl": "https://example.com/p.png",
      "Articles.item[0].Url": "https://example.com/?t=a&u=1",
      "Articles.item[1].Title": "b",
      "Articles.item[1].Description": "about b",
      "Articles.item[1].PicUrl": "https://example.com/p.png",
      "Articles.item[1].Url": "https://example.com/?t=b&u=1",
    },
  ],
];

const unrenderable: Content[] = [
  { type: "text", text: "" },
  { type: "text", text: " \n" },
  { type: "image", url: "https://example.com/p.png" },
  { type: "voice", url: "https://example.com/v.amr" },
  { type: "video", url: "https://example.com/v.mp4" },
  { type: "text", text: "\u0007" },
  { type: "text", text: "\u200b \ufeff" },
  { type: "news", articles: [] },
  { type: "location", latitude: "1", longitude: "2" },
  { type: "file", mediaId: "m1" },
  { type: "miniprogrampage", title: "t", appId: "wx1", pagePath: "p" },
  { type: "event", event: "click", vendorEvent: "CLICK", fields: {} },
  { type: "unsupported", vendorType: "x", fields: {} },
];

describe("a passive reply", () => {
  test.each(rendered)("swaps the names, is dated in whole seconds and says the content: %s", (_name, content, body) => {
    const { ...texts } = flatTexts(parseXml(renderPassiveReply(to, content, createdAt)));
    expect(texts).toEqual({ ...frame, ...body });
    expect(canRenderPassively(content, 8)).toBe(true);
  });

  test("is the manual's XML to the byte", () => {
    expect(renderPassiveReply(to, { type: "text", text: "hi" }, createdAt)).toBe(
      "<xml><ToUserName><![CDATA[o1]]></ToUserName><FromUserName><![CDATA[gh_1]]></FromUserName>" +
        "<CreateTime>1713424427</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[hi]]></Content></xml>",
    );
  });

  test("says any text, and no text can add an element to it", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("]]>", "</Content>", "<MsgType>", "&", "x", "😀", "]") }), (text) => {
        fc.pre(text !== "");
        const root = parseXml(renderPassiveReply(to, { type: "text", text }, createdAt));
        expect(root.children.map(({ name }) => name)).toEqual(["ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"]);
        expect(childText(root, "Content")).toBe(text);
      }),
    );
  });

  test.each(unrenderable)("is refused for what cannot ride: $type", (content) => {
    expect(canRenderPassively(content, 8)).toBe(false);
    expect(() => renderPassiveReply(to, content, createdAt)).toThrow(
      expect.objectContaining({ name: "DecodeError", code: "CONTENT_UNSUPPORTED" }),
    );
  });

  test("has no more articles than the platform shows", () => {
    const news: Content = { type: "news", articles: [article("a"), article("b")] };
    expect(canRenderPassively(news, 1)).toBe(false);
    expect(canRenderPassively(news, 2)).toBe(true);
  });
});
