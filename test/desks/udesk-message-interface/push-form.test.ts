import fc from "fast-check";
import { describe, expect, test } from "vitest";
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

test("status fields and ids of a form are read like those of JSON", () => {
  expect(replyOf("touser=o&status=queuing&turn=2&agent_name=&message_id=18446744073709551615", FORM)).toEqual({
    openId: "o",
    pushId: "18446744073709551615",
    content: null,
    report: { status: "queueing", turn: 2, agentName: null },
  });
});

test("fields in each other's way are refused, not mixed", () => {
  for (const text of ["text=x", "text[content][]=x", "text[content]=x&text=y", "text[content]=x&text[content][a]=y", "text[__proto__]=x"]) {
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
