import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toSendableText } from "../../../src/domain/sendable-text.ts";
import { push, replyOf } from "./support.ts";

const FORM = { contentType: "application/x-www-form-urlencoded" };

describe("nested brackets are read", () => {
  test("literal", () => {
    expect(replyOf("touser=oABC&msgtype=text&text[content]=a+b%26c", FORM)).toMatchObject({
      openId: "oABC",
      content: { type: "text", text: "a b&c" },
    });
  });

  test("and percent-encoded", () => {
    const body = "touser=oABC&msgtype=video&video%5Bmedia_id%5D=m&video%5Btitle%5D=%E4%BD%A0&video%5Bdescription%5D=";
    expect(replyOf(body, FORM)?.content).toEqual({ type: "video", mediaId: "m", title: "你" });
  });
});

describe("articles are told apart", () => {
  const fields = [
    ["title", "t1"],
    ["description", "d1"],
    ["url", "http://1"],
    ["picurl", "http://p1"],
    ["title", "t2"],
    ["url", "http://2"],
  ];
  const articles = [
    { title: "t1", description: "d1", url: "http://1", pictureUrl: "http://p1" },
    { title: "t2", description: "", url: "http://2", pictureUrl: "" },
  ];
  for (const [sender, name] of [
    ["rest-client 2, with empty brackets", "news[articles][]"],
    ["rest-client 1.x, where a repeated key starts the next", "news[articles]"],
    ["percent-encoded", "news%5Barticles%5D%5B%5D"],
  ]) {
    test(`as ${sender} writes them`, () => {
      const pairs = fields.map(([field, value]) => `${name}[${field}]=${encodeURIComponent(value ?? "")}`);
      expect(replyOf(["touser=oABC", "msgtype=news", ...pairs].join("&"), FORM)?.content).toEqual({ type: "news", articles });
    });
  }
});

test("a form of the open API is read: indexed, with empty brackets, without any, and as JSON in a field", () => {
  const reply = (text: string) => ({ openId: "o1", content: { type: "text", text } });
  for (const [messages, replies] of [
    ["messages[0][type]=message&messages[0][data][content]=deep", [reply("deep")]],
    ["messages[type]=message&messages[data][content]=deep", [reply("deep")]],
    ["messages[][type]=message&messages[][data][content]=a&messages[][type]=message&messages[][data][content]=b", [reply("a"), reply("b")]],
    ["messages[type]=message&messages[data][content]=a&messages[type]=message&messages[data][content]=b", [reply("a"), reply("b")]],
    [
      "messages[1][data][content]=b&messages[1][type]=message&messages[0][type]=message&messages[0][data][content]=a",
      [reply("a"), reply("b")],
    ],
    [`messages=${encodeURIComponent('[{"type":"message","message_id":9007199254740993,"data":{"content":"a"}}]')}`, [reply("a")]],
    ['messages=[{"type":"message","data":{"content":"x]=y"}}]', [reply("x]=y")]],
  ] as const) {
    for (const written of [messages, messages.replaceAll("[", "%5B").replaceAll("]", "%5d")]) {
      expect(push(`customer_token=o1&${written}`, FORM).replies).toMatchObject(replies);
    }
  }
});

test("an object of a customer-service form may be JSON", () => {
  expect(replyOf('touser=o&msgtype=text&text={"content":"hi"}', FORM)?.content).toEqual({ type: "text", text: "hi" });
});

test("articles with numbers of their own keep what is theirs", () => {
  const body = "touser=o&msgtype=news&news[articles][0][url]=a&news[articles][1][title]=B&news[articles][1][url]=b";
  expect(replyOf(body, FORM)?.content).toEqual({
    type: "news",
    articles: [
      { title: "", description: "", url: "a", pictureUrl: "" },
      { title: "B", description: "", url: "b", pictureUrl: "" },
    ],
  });
});

describe("a form that is too large or too deep is refused with the limit that it passes:", () => {
  for (const [name, fields, limit] of [
    ["100,000 fields", "a[b][c]=1&".repeat(100_000), "100003 fields, more than 5000"],
    ["one field more than are taken", "a=1&".repeat(4_998), "5001 fields, more than 5000"],
    ["a number of 100,000", "messages[100000][type]=message", "a list of more than 200"],
    ["20,000 brackets", `a${"[b]".repeat(20_000)}=1`, "brackets deeper than 8"],
    ["four thousand times one name", "text[content][]=x&".repeat(4_000), "a list of more than 200"],
  ] as const) {
    test(name, () => {
      expect(() => push(`touser=o&msgtype=text&${fields}`, FORM)).toThrow(`form has ${limit}; send less at once, or JSON`);
    });
  }
});

test.each(["=", "]=", "%5D=", "%", "%3", "[", "]", "a=b"])("a megabyte of %j in a text comes back as it was", (unit) => {
  const run = unit.repeat(Math.floor(1_000_000 / unit.length));
  const text = run.replaceAll("%5D", "]");
  expect(replyOf(`touser=o&msgtype=text&text[content]=${run}.`, FORM)?.content).toEqual({ type: "text", text: `${text}.` });
});

test("a megabyte of nothing but = is refused", () => {
  expect(() => push("=".repeat(1_000_000), FORM)).toThrow("form has neither touser nor customer_token");
});

describe("a form whose last byte is A0 keeps its last character:", () => {
  const plain = (words: Buffer) => Buffer.concat([Buffer.from("touser=o&msgtype=text&text[content]="), words]);
  const readBy = (words: Buffer, contentType: string) => push(plain(words), { contentType }).replies[0]?.content;

  test("in every character of UTF-8 that ends in A0", () => {
    for (let code = 0xa0; code <= 0x10ffff; code += 1) {
      if ((code & 0x3f) !== 0x20 || (code >= 0xd800 && code <= 0xdfff)) continue;
      const character = String.fromCodePoint(code);
      const text = `a${character}`;
      if (toSendableText(text) === text) expect(readBy(Buffer.from(text), FORM.contentType)).toEqual({ type: "text", text });
    }
  });

  test("in GBK", () => {
    const words = Buffer.from("d1a0", "hex");
    const text = new TextDecoder("gbk").decode(words);
    expect(readBy(words, `${FORM.contentType}; charset=gbk`)).toEqual({ type: "text", text });
  });

  test("and blanks of ASCII around a form are none of its words", () => {
    expect(replyOf(" \r\n\ttouser=o&msgtype=text&text[content]=加 \r\n", FORM)?.content).toEqual({ type: "text", text: "加" });
  });
});

test("status fields and ids of a form are read like those of JSON", () => {
  expect(replyOf("touser=o&status=queuing&turn=2&agent_name=&message_id=18446744073709551615", FORM)).toEqual({
    openId: "o",
    pushId: "18446744073709551615",
    content: null,
    report: { status: "queueing", turn: 2, agentName: null },
  });
});

test("fields in each other's way are refused, not mixed", () => {
  for (const text of [
    "text=x",
    "text[content][]=x",
    "text[content]=x&text=y",
    "text[content]=x&text[content][a]=y",
    "text[content]=x&text[content]=y",
    "text[content=x",
    "text[__proto__]=x",
  ]) {
    expect(() => push(`touser=oABC&msgtype=text&${text}`, FORM)).toThrow(expect.objectContaining({ code: "MESSAGE_INVALID" }));
  }
});

test("any text comes back as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
      fc.pre(!text.includes("\0") && text.trim() !== ""); // What cannot be read is refused: another test.
      const body = new URLSearchParams({ touser: "oABC", msgtype: "text", "text[content]": text }).toString();
      expect(replyOf(body, FORM)?.content).toEqual({ type: "text", text });
    }),
  );
});
