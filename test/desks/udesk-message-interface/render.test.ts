import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { render } from "../../../src/desks/udesk-message-interface/render.ts";
import type { Content } from "../../../src/domain/content.ts";
import type { Message } from "../../../src/domain/message.ts";
import { child, childText, leafTexts, parseXml } from "../../../src/wechat/xml.ts";
import { makeMessage } from "./support.ts";

const context = { openId: "oABC", identity: { number: "135", email: "a@b.cn" }, types: {} };
const ENVELOPE = ["FromUserName", "Number", "Email", "CreateTime", "MsgId"];

/** MsgType and what follows from it, read back. */
function rendered(content: Content, types: typeof context.types = {}): Record<string, string> {
  const texts = leafTexts(parseXml(render(makeMessage(content), { ...context, types })));
  return Object.fromEntries(Object.entries(texts).filter(([name]) => !ENVELOPE.includes(name)));
}

function msgIdOf(change: Partial<Message>): string | undefined {
  return childText(parseXml(render(makeMessage({ type: "text", text: "hi" }, change), context)), "MsgId");
}

test("every message says who wrote it, when in whole seconds, and under which number", () => {
  const xml = render(makeMessage({ type: "text", text: "hi" }), context);
  expect({ ...leafTexts(parseXml(xml)) }).toEqual({
    FromUserName: "oABC",
    Number: "135",
    Email: "a@b.cn",
    CreateTime: "1405994593",
    MsgType: "text",
    MsgId: "6036938470986285058",
    Content: "hi",
  });
});

// The elements per type: the table of udesk.md A, "Inbound message".
const native: [Content, Record<string, string>][] = [
  [
    { type: "text", text: " 007 " },
    { MsgType: "text", Content: " 007 " },
  ],
  [
    { type: "image", url: "http://p/1?a=1&b=2", mediaId: "m1" },
    { MsgType: "image", PicUrl: "http://p/1?a=1&b=2", MediaId: "m1" },
  ],
  [
    { type: "voice", mediaId: "m2", format: "amr" },
    { MsgType: "voice", MediaId: "m2", Format: "amr" },
  ],
  [
    { type: "voice", mediaId: "m2", format: "amr", recognition: "你好" },
    { MsgType: "voice", MediaId: "m2", Format: "amr", Recognition: "你好" },
  ],
  [
    { type: "video", mediaId: "m3", thumbMediaId: "t3" },
    { MsgType: "video", MediaId: "m3", ThumbMediaId: "t3" },
  ],
  [
    { type: "shortvideo", mediaId: "m4", thumbMediaId: "t4" },
    { MsgType: "shortvideo", MediaId: "m4", ThumbMediaId: "t4" },
  ],
  [
    { type: "location", latitude: "23.134521", longitude: "113.358803", scale: "20", label: "位置" },
    { MsgType: "location", Location_X: "23.134521", Location_Y: "113.358803", Scale: "20", Label: "位置" },
  ],
  [
    { type: "link", title: "t", description: "d", url: "u" },
    { MsgType: "link", Title: "t", Description: "d", Url: "u" },
  ],
  [
    { type: "event", event: "click", vendorEvent: "CLICK", key: "K1", fields: {} },
    { MsgType: "event", Event: "CLICK", EventKey: "K1" },
  ],
  [
    { type: "miniprogrampage", title: "t", appId: "wx1", pagePath: "p?x=1", thumbUrl: "u", thumbMediaId: "m" },
    { MsgType: "miniprogrampage", Title: "t", AppId: "wx1", PagePath: "p?x=1", ThumbUrl: "u", ThumbMediaId: "m" },
  ],
];

describe("each type has its own elements:", () => {
  for (const [content, elements] of native) {
    test(Object.values(elements).slice(0, 2).join(" "), () => {
      expect(rendered(content)).toEqual(elements);
    });
  }
});

test("news are counted and listed", () => {
  const articles = ["1", "2"].map((n) => ({ title: `t${n}`, description: `d${n}`, url: `u${n}`, pictureUrl: `p${n}` }));
  const root = parseXml(render(makeMessage({ type: "news", articles }), context));
  expect(childText(root, "MsgType")).toBe("news");
  expect(childText(root, "ArticleCount")).toBe("2");
  expect(child(root, "Articles")?.children.map((item) => ({ ...leafTexts(item) }))).toEqual([
    { Title: "t1", Description: "d1", PicUrl: "p1", Url: "u1" },
    { Title: "t2", Description: "d2", PicUrl: "p2", Url: "u2" },
  ]);
});

test("a file with an address is one article", () => {
  const root = parseXml(render(makeMessage({ type: "file", title: "a.pdf", url: "http://f" }), context));
  expect(childText(root, "MsgType")).toBe("file");
  expect(child(root, "Articles")?.children.map((item) => childText(item, "Url"))).toEqual(["http://f"]);
});

test("a file without an address is a readable line", () => {
  expect(rendered({ type: "file", title: "a.pdf", fileKey: "k" })).toEqual({ MsgType: "text", Content: "[file] a.pdf" });
});

test("an unsupported type is a readable line", () => {
  const content: Content = { type: "unsupported", vendorType: "hologram", fields: { A: "1" } };
  expect(rendered(content)).toEqual({ MsgType: "text", Content: "[unsupported message] hologram" });
});

test("a type that the account wants as text is a readable line, and the others are not", () => {
  const types = { image: "text" } as const;
  expect(rendered({ type: "image", url: "http://p" }, types)).toEqual({ MsgType: "text", Content: "[image] http://p" });
  expect(rendered({ type: "voice", mediaId: "m" }, types)).toEqual({ MsgType: "voice", MediaId: "m" });
});

describe("MsgId", () => {
  test("is the platform's, digit by digit, up to the largest of 64 bits", () => {
    expect(msgIdOf({ vendorMessageId: "18446744073709551615" })).toBe("18446744073709551615");
  });

  for (const vendorMessageId of [null, "", "18446744073709551616", "100000000000000000000", "12a", "-5", "1e5"]) {
    test(`is made from the message id when the platform's is ${JSON.stringify(vendorMessageId)}: stable, below 2^63`, () => {
      const msgId = msgIdOf({ vendorMessageId }) ?? "";
      expect(msgId).toMatch(/^\d+$/);
      expect(BigInt(msgId) < 2n ** 63n).toBe(true);
      expect(msgIdOf({ vendorMessageId })).toBe(msgId);
      expect(msgIdOf({ vendorMessageId, id: "ms_2" })).not.toBe(msgId);
    });
  }
});

test("any text that XML can say comes back as it was", () => {
  // Without CR, which XML readers turn into LF, and without the characters that XML 1.0 forbids.
  const sayable = fc.string({ unit: "binary" }).map((text) => text.replace(/[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, ""));
  const hard = fc.constantFrom("]]>", "<![CDATA[", "&amp;", "&", "<b>", " 1e5 ", "😀", "<!DOCTYPE x>");
  fc.assert(
    fc.property(fc.array(fc.oneof(sayable, hard)), (parts) => {
      const text = parts.join("");
      expect(rendered({ type: "text", text })).toEqual({ MsgType: "text", Content: text });
    }),
  );
});
