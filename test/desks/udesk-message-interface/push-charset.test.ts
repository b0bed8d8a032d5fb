import { describe, expect, test } from "vitest";
import { push } from "./support.ts";

/** 你好，世界 */
const GBK = Buffer.from("c4e3bac3a3accac0bde7", "hex");
/** 丂 is 81 40, so half of it is a letter; 一 is D2 BB, which as UTF-8 would be one letter of another alphabet. */
const HARD_GBK = Buffer.from("8140d2bb", "hex");
const BIG5 = Buffer.from("a741a66ea141a540acc9", "hex");
/** 𠮷 has four bytes in GB 18030 only. */
const GB18030 = Buffer.from("9534b235c4e3", "hex");

const NOT_READABLE = "is not UTF-8, nor what it is declared as; send UTF-8, or declare its encoding (charset=gbk)";

function textOf(body: Buffer, contentType?: string): unknown {
  const [reply] = push(body, { contentType }).replies;
  return reply?.content;
}

const text = (words: string) => ({ type: "text", text: words });
const json = (words: Buffer) => around('{"touser":"o","msgtype":"text","text":{"content":"', words, '"}}');
const xml = (words: Buffer, declaration = "") =>
  around(`${declaration}<xml><ToUserName>o</ToUserName><MsgType>text</MsgType><Content><![CDATA[`, words, "]]></Content></xml>");
const form = (words: Buffer) => around("touser=o&msgtype=text&text[content]=", words, "");

function around(before: string, words: Buffer, after: string): Buffer {
  return Buffer.concat([Buffer.from(before), words, Buffer.from(after)]);
}

/** Every byte. */
const escaped = (words: Buffer) => Buffer.from(words.toString("hex").replace(/../g, "%$&"));
/** As PHP does it: bytes that are letters stay. */
const halfEscaped = (words: Buffer) =>
  Buffer.from([...words].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `%${byte.toString(16)}`)).join(""));

describe("a push is read in the encoding that it declares:", () => {
  test.each([
    ["gbk", GBK, "你好，世界"],
    ["GBK", HARD_GBK, "丂一"],
    ["gb2312", GBK, "你好，世界"],
    ["GB18030", GB18030, "𠮷你"],
    ["gbk", GB18030, "𠮷你"],
    ["Big5", BIG5, "你好，世界"],
  ] as const)("%s %#", (charset, words, read) => {
    expect(textOf(json(words), `application/json; charset=${charset}`)).toEqual(text(read));
    expect(textOf(xml(words), `text/xml;charset="${charset}"`)).toEqual(text(read));
    expect(textOf(xml(words, `<?xml version="1.0" encoding="${charset}"?>`))).toEqual(text(read));
    const type = `application/x-www-form-urlencoded; charset=${charset}`;
    for (const written of [words, escaped(words), halfEscaped(words)]) expect(textOf(form(written), type)).toEqual(text(read));
  });

  test("UTF-16 with its mark", () => {
    for (const make of [json, xml, form]) {
      const little = Buffer.from(`\ufeff${make(Buffer.from("你好 [1]")).toString()}`, "utf16le");
      expect(textOf(little)).toEqual(text("你好 [1]"));
      expect(textOf(Buffer.from(little).swap16())).toEqual(text("你好 [1]"));
    }
  });

  test("in the XML where the content type's is a program's default", () => {
    for (const type of ["text/xml; charset=utf-8", "text/xml; charset=ISO-8859-1"]) {
      expect(textOf(xml(GBK, '<?xml version="1.0" encoding="GBK"?>'), type)).toEqual(text("你好，世界"));
    }
  });
});

test("what is UTF-8 is read as UTF-8 whatever it declares", () => {
  const words = Buffer.from("你好，世界");
  expect(textOf(xml(words, '<?xml version="1.0" encoding="GBK"?>'))).toEqual(text("你好，世界"));
  for (const charset of ["gbk", "iso-8859-1", "us-ascii", "nonsense"]) {
    expect(textOf(json(words), `application/json; charset=${charset}`)).toEqual(text("你好，世界"));
    expect(textOf(form(escaped(words)), `application/x-www-form-urlencoded; charset=${charset}`)).toEqual(text("你好，世界"));
  }
});

describe("bytes in another encoding than the declared one are refused with the remedy:", () => {
  test.each(["utf-8", "nonsense", "iso-8859-1", "big5-secret"])("%s", (charset) => {
    expect(() => textOf(json(GBK), `application/json; charset=${charset}`)).toThrow(`body ${NOT_READABLE}`);
    expect(() => textOf(form(escaped(GBK)), `application/x-www-form-urlencoded; charset=${charset}`)).toThrow(`form ${NOT_READABLE}`);
    expect(() => textOf(xml(GBK, `<?xml version="1.0" encoding="${charset}"?>`))).toThrow(`body ${NOT_READABLE}`);
  });

  test("GBK that ends in half a character", () => {
    expect(() => textOf(around("touser=o&msgtype=text&text[content]=", escaped(GBK.subarray(0, 3)), ""), "x/y; charset=gbk")).toThrow(
      NOT_READABLE,
    );
  });
});

test("the limits of XML hold in every encoding", () => {
  const doctype = xml(GBK, '<?xml version="1.0" encoding="GBK"?><!DOCTYPE xml>');
  expect(() => textOf(doctype)).toThrow(expect.objectContaining({ code: "XML_INVALID" }));
});
