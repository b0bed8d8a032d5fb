import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toPlainText } from "../../../src/desks/udesk-message-interface/plain-text.ts";
import { replyOf } from "./support.ts";

const HTML = '<P style="color: red">See <a href="https://x.cn/?a=1&amp;b=2">the page</a><BR/>&lt;3</P>';
const READ = "See the page (https://x.cn/?a=1&b=2)\n<3";

describe("HTML in a pushed text becomes text with its links kept, pushed as", () => {
  const escaped = HTML.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  for (const [form, body] of [
    ["JSON", JSON.stringify({ touser: "oABC", msgtype: "text", text: { content: HTML } })],
    ["a form", `touser=oABC&msgtype=text&text[content]=${encodeURIComponent(HTML)}`],
    ["XML in CDATA", toXml(`<![CDATA[${HTML}]]>`)],
    ["XML", toXml(escaped)],
    ["a customer's messages", JSON.stringify({ customer_token: "oABC", messages: [{ type: "message", data: { content: HTML } }] })],
  ] as const) {
    test(form, () => expect(replyOf(body)?.content).toEqual({ type: "text", text: READ }));
  }

  test("nothing but tags: refused, for there is nothing to read", () => {
    expect(() => replyOf(JSON.stringify({ touser: "oABC", msgtype: "text", text: { content: "<p><br></p>" } }))).toThrow(
      "content is empty",
    );
  });
});

function toXml(content: string): string {
  return `<xml><ToUserName>oABC</ToUserName><FromUserName>wx0123456789abcdef</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>${content}</Content></xml>`;
}

const PLAIN = [
  "a < b",
  "<3",
  "x & y",
  "1 &lt; 2",
  "&amp;",
  "?a=1&copy=2",
  "&bogus;",
  "a <b and c> d",
  "<you>",
  "<pre",
  "<abc>",
  "</",
  "<>",
];

describe("a text without a tag stays exactly as it is:", () => {
  test.each(PLAIN)("%j", (text) => {
    expect(toPlainText(text)).toBe(text);
    const messages = { customer_token: "oABC", messages: [{ type: "message", data: { content: text } }] };
    expect(replyOf(JSON.stringify(messages))?.content).toEqual({ type: "text", text });
  });

  test("any whose < begin no tag", () => {
    // Every ">" belongs to the "<" before it in the same piece, so that no two pieces make a tag together.
    const piece = fc.oneof(
      fc.constantFrom(...PLAIN),
      fc.string({ unit: "binary" }).map((text) => text.replaceAll(">", "")),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join("");
        expect(toPlainText(text)).toBe(text);
      }),
    );
  });
});

describe("a text without a tag but with an entity that only an editor writes is decoded:", () => {
  test.each([
    ["hello&nbsp;world", "hello world"],
    ["&ldquo;你好&rdquo;&mdash;&hellip;", "“你好”—…"],
    ["&yen;5 &lt; &yen;6", "¥5 < ¥6"],
    ["it&#39;s &#x4F60;&#22909; a < b", "it's 你好 a < b"],
    [" a &#38;amp; b\n", " a &amp; b\n"],
  ])("%j", (written, text) => {
    expect(toPlainText(written)).toBe(text);
    expect(replyOf(JSON.stringify({ touser: "o", msgtype: "text", text: { content: written } }))?.content).toEqual({ type: "text", text });
  });

  test("and one that stands for blanks is empty, so refused", () => {
    for (const content of ["&nbsp;", " &nbsp;&#160;\n", "&#8203;"]) {
      expect(() => replyOf(JSON.stringify({ touser: "o", msgtype: "text", text: { content } }))).toThrow("text: content is empty");
    }
  });
});

test.each([
  ["<!-- <b>note</b> -->hello", "hello"],
  ["<!-- note -->hello", "hello"],
  ['look: <video src="https://x.cn/1.mp4"></video>', "look: https://x.cn/1.mp4"],
])("what only HTML has is seen as HTML: %j", (html, text) => {
  expect(toPlainText(html)).toBe(text);
});

test.each(["<!--", "<a ", "<", '<a "', "<p"])("a megabyte of %j that no tag comes of stays as it is", (unit) => {
  const text = unit.repeat((1024 * 1024) / unit.length);
  expect(toPlainText(text)).toBe(text);
});

describe("whatever tags it has, none is left, and every word between them stays", () => {
  const attributes = fc.constantFrom("", ' class="x"', " id='y'", " data-n=1", ' style="a: b" width=3');
  const shape = fc.constantFrom("open", "close", "single");
  const word = fc.stringMatching(/^[a-z0-9你好]{1,8}$/);
  const piecesOf = (names: readonly string[]) => {
    const tag = fc.tuple(fc.constantFrom(...names), attributes, shape, fc.boolean()).map(([name, given, kind, isUpper]) => {
      const written = isUpper ? name.toUpperCase() : name;
      return kind === "close" ? `</${written}>` : `<${written}${given}${kind === "single" ? " /" : ""}>`;
    });
    return fc.array(fc.tuple(tag, word), { minLength: 1 });
  };
  const read = (pieces: [string, string][]) => toPlainText(pieces.map(([before, between]) => `${before}${between}`).join(""));
  const names = ["a", "p", "br", "div", "span", "b", "strong", "i", "em", "u", "img", "h1", "h6", "table", "tr", "td"];

  test("with nothing added but blanks and lines", () => {
    fc.assert(
      fc.property(piecesOf(names), (pieces) => {
        expect(read(pieces).replace(/\s/g, "")).toBe(pieces.map(([, between]) => between).join(""));
      }),
    );
  });

  test("and in lists with bullets and numbers", () => {
    fc.assert(
      fc.property(piecesOf([...names, "ul", "ol", "li"]), (pieces) => {
        const text = read(pieces);
        expect(text).not.toMatch(/[<>]/);
        let end = 0;
        for (const [, between] of pieces) {
          const start = text.indexOf(between, end);
          expect(start).toBeGreaterThanOrEqual(end);
          end = start + between.length;
        }
      }),
    );
  });
});
