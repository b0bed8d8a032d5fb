import { describe, expect, test } from "vitest";
import { push, replyOf } from "./support.ts";

function contentOf(msgtype: string, body: unknown): unknown {
  return replyOf(JSON.stringify({ touser: "oABC", msgtype, [msgtype]: body }))?.content;
}

const article = { title: "t", description: "d", url: "http://u", picurl: "http://p" };
const readArticle = { title: "t", description: "d", url: "http://u", pictureUrl: "http://p" };

describe("each kind of customer-service object is read:", () => {
  for (const [msgtype, body, content] of [
    ["text", { content: "hi" }, { type: "text", text: "hi" }],
    ["rich", { content: '<p>a</p><a href="http://u">b</a>' }, { type: "text", text: "a\nb (http://u)" }],
    ["image", { media_id: "m" }, { type: "image", mediaId: "m" }],
    ["image", { url: "http://p" }, { type: "image", url: "http://p" }],
    ["image", { media_id: null, pic_url: "http://p" }, { type: "image", url: "http://p" }],
    ["voice", { media_id: "m" }, { type: "voice", mediaId: "m" }],
    [
      "video",
      { media_id: "m", thumb_media_id: "n", title: "t", description: "d" },
      { type: "video", mediaId: "m", thumbMediaId: "n", title: "t", description: "d" },
    ],
    ["file", { media_id: "m", filename: "a.pdf" }, { type: "file", mediaId: "m", title: "a.pdf" }],
    [
      "music",
      { title: "t", description: "d", musicurl: "http://lo", hqmusicurl: "http://hi", thumb_media_id: "n" },
      { type: "link", title: "t", description: "d", url: "http://lo" },
    ],
    [
      "link",
      { title: "t", description: "d", url: "http://u", thumb_url: "http://p" },
      { type: "link", title: "t", description: "d", url: "http://u", pictureUrl: "http://p" },
    ],
    ["news", { articles: [article, article] }, { type: "news", articles: [readArticle, readArticle] }],
    ["news", { articles: { 0: article, 2: article } }, { type: "news", articles: [readArticle, readArticle] }],
    ["news", { articles: article }, { type: "news", articles: [readArticle] }],
  ] as const) {
    test(`${msgtype} ${JSON.stringify(body)}`, () => {
      expect(contentOf(msgtype, body)).toEqual(content);
    });
  }
});

test("a plain text keeps every character", () => {
  const text = " &lt;a&gt; &amp; a < b <3 <you>\r\n\t😀 007 ";
  expect(contentOf("text", { content: text })).toEqual({ type: "text", text });
});

test("what no column can hold and no passive reply can carry is taken out of a text", () => {
  expect(contentOf("text", { content: "a\0b\ud83d" })).toEqual({ type: "text", text: "ab\uFFFD" });
  expect(contentOf("text", { content: "a\u0007b<b>&#7;c&#xfffe;</b>" })).toEqual({ type: "text", text: "abc" });
  expect(contentOf("file", { media_id: "m", title: "a\u0007" })).toEqual({ type: "file", mediaId: "m", title: "a" });
});

describe("a kind without what makes it one is refused with the place that lacks it:", () => {
  for (const [msgtype, body, reason] of [
    ["text", undefined, /^text: expected an object, and it is missing$/],
    ["text", "hi", /^text: expected an object$/],
    ["text", {}, /^text\.content: expected a text$/],
    ["text", { content: true }, /^text\.content: expected a text/],
    ["text", { content: ["hi"] }, /^text\.content: expected a text/],
    ["text", { content: "" }, /^text: content is empty/],
    ["text", { content: "\u0007\u200b" }, /^text: content is empty/],
    ["text", { content: "<p>\u0007</p>" }, /^text: content is empty/],
    ["text", { content: "<p>&#7;&#8203;</p>" }, /^text: content is empty/],
    ["rich", { content: "<p></p>" }, /^rich: content has no text/],
    ["rich", { content: "<p>\u0007&shy;</p>" }, /^rich: content has no text/],
    ["image", { media_id: "" }, /^image: expected media_id or url/],
    ["voice", { media_id: ["m"] }, /^voice\.media_id: expected a text$/],
    ["link", { title: "t" }, /^link: expected url/],
    ["news", {}, /^news\.articles: expected a list, and it is missing$/],
    ["news", { articles: [] }, /^news\.articles: expected at least 1$/],
    ["news", { articles: [article, {}] }, /^news\.articles\.1: expected title or url/],
    ["news", { articles: [article, null] }, /^news\.articles\.1: expected an object$/],
  ] as const) {
    test(`${msgtype} ${JSON.stringify(body)}`, () => {
      expect(() => contentOf(msgtype, body)).toThrow(
        expect.objectContaining({ code: "MESSAGE_INVALID", message: expect.stringMatching(reason) }),
      );
    });
  }
});

test("a msgtype we cannot hand on is refused with the list of those we can", () => {
  for (const msgtype of ["wxcard", "__proto__", "constructor"]) {
    expect(() => contentOf(msgtype, { content: "x" })).toThrow(
      expect.objectContaining({ code: "CONTENT_UNSUPPORTED", message: expect.stringContaining("text, rich, image") }),
    );
  }
});

describe("a number is taken as the text it was written as:", () => {
  test.each(["12345", "0", "12.50", "1e5", "-0", "18446744073709551615", "0.1"])("%s", (digits) => {
    expect(replyOf(`{"touser":"o","msgtype":"text","text":{"content":${digits}}}`)?.content).toEqual({ type: "text", text: digits });
    const messages = `{"customer_token":"o","messages":[{"type":"message","data":{"content":${digits}}}]}`;
    expect(replyOf(messages)?.content).toEqual({ type: "text", text: digits });
  });
});

describe("nothing that a contact is to see is acknowledged and left out:", () => {
  for (const [fields, reason] of [
    [{ status: "chatting", text: { content: "hi" } }, "push has text but no msgtype; name its type in msgtype"],
    [{ command: "Typing", content: "hi" }, "push has content but no msgtype"],
    [{ status: 1, url: "http://u" }, "push has url but no msgtype"],
    [{ status: "chatting", messages: [{ type: "message", data: { content: "hi" } }] }, "push has messages but no msgtype"],
    [{ msgtype: "text", text: { content: "hi" }, image: { media_id: "m" } }, "push has image beside its msgtype text"],
    [{ msgtype: "text", content: "hi" }, "text: "],
    [{ msgtype: "text", text: { words: "hi" } }, "text.content: expected a text"],
  ] as const) {
    test(JSON.stringify(fields), () => {
      expect(() => push(JSON.stringify({ touser: "o", ...fields }))).toThrow(
        expect.objectContaining({ code: "MESSAGE_INVALID", message: expect.stringContaining(reason) }),
      );
    });
  }

  const beside = (msgtype: string) => `beside its ${msgtype}; put it there, or send a push of its own`;
  const unshown = "is not shown there; send a message of its own for it";
  test.each([
    [{ msgtype: "text", text: { content: "hi" }, content: "other words" }, `push has content ${beside("text")}`],
    [{ msgtype: "image", image: { media_id: "m1" }, title: "cap", url: "http://u" }, `push has title, url ${beside("image")}`],
    [{ msgtype: "image", image: { media_id: "m1", title: "cap", content: "words" } }, `image.content: ${unshown}`],
    [{ msgtype: "text", text: { content: "hi", title: "t" } }, `text.title: ${unshown}`],
    [{ msgtype: "text", text: { content: "hi", articles: [article] } }, `text.articles: ${unshown}`],
    [{ msgtype: "news", news: { articles: [article, { ...article, content: "words" }] } }, `news.articles.1.content: ${unshown}`],
    [{ msgtype: "news", news: { articles: [article], description: "words" } }, `news.description: ${unshown}`],
  ])("%j", (fields, reason) => {
    expect(() => push(JSON.stringify({ touser: "o", ...fields }))).toThrow(
      expect.objectContaining({ code: "MESSAGE_INVALID", message: reason }),
    );
  });

  test("in a form", () => {
    expect(() => push("touser=o&msgtype=text&text[content]=hi&content=other")).toThrow(`push has content ${beside("text")}`);
    expect(() => push("touser=o&msgtype=image&image[media_id]=m&image[content]=words")).toThrow(`image.content: ${unshown}`);
  });

  test("and neither the same words twice, nor the name of an image or a voice, is a loss", () => {
    const twice = { touser: "o", msgtype: "text", text: { content: "hi" }, content: "hi", title: "", url: null };
    expect(replyOf(JSON.stringify(twice))?.content).toEqual({ type: "text", text: "hi" });
    for (const type of ["image", "voice"]) {
      expect(contentOf(type, { media_id: "m", title: "IMG_1.jpg", description: "d", content: "" })).toEqual({ type, mediaId: "m" });
    }
  });

  test("fields that are there and empty are none", () => {
    const empty = { image: { media_id: "" }, news: { articles: null }, messages: [], voice: {} };
    expect(replyOf(JSON.stringify({ touser: "o", msgtype: "text", text: { content: "hi" }, ...empty }))?.content).toMatchObject({
      text: "hi",
    });
    expect(push(JSON.stringify({ touser: "o", command: "Typing", text: { content: "" }, ...empty }))).toEqual({ replies: [] });
  });
});

describe("a status that is not the conversation's says nothing of it:", () => {
  test.each([1, 0, "1", true, "sent", {}])("%j", (status) => {
    const fields = { touser: "oABC", msgtype: "text", text: { content: "hi" }, status };
    expect(replyOf(JSON.stringify(fields))?.report).toBeNull();
    expect(replyOf(JSON.stringify({ ...fields, agent_name: "Li" }))?.report).toEqual({ agentName: "Li" });
    expect(push(JSON.stringify({ touser: "oABC", status }))).toEqual({ replies: [] });
    expect(push(JSON.stringify({ customer_token: "oABC", status }))).toEqual({ replies: [] });
  });

  test("and unknown is one of its words", () => {
    expect(replyOf('{"touser":"oABC","status":"Unknown"}')?.report).toEqual({ status: "unknown" });
  });
});

test("status fields beside the message become its report", () => {
  const fields = {
    touser: "oABC",
    msgtype: "text",
    text: { content: "hi" },
    status: "chatting",
    turn: "0",
    agent_name: "Li",
    msg: "Li is here",
  };
  expect(replyOf(JSON.stringify(fields))).toEqual({
    openId: "oABC",
    pushId: null,
    content: { type: "text", text: "hi" },
    report: { status: "chatting", turn: 0, agentName: "Li", notice: "Li is here" },
  });
  expect(replyOf('{"touser":"o","msgtype":"text","text":{"content":"hi"},"agentName":"Li"}')?.report).toEqual({ agentName: "Li" });
});

test("a push of nothing but a status has no content", () => {
  expect(push('{"touser":"oABC","status":"queuing","turn":3}').replies).toEqual([
    { openId: "oABC", pushId: null, content: null, report: { status: "queueing", turn: 3 } },
  ]);
});

test("a typing hint is nothing to hand on", () => {
  expect(push('{"touser":"oABC","command":"Typing"}')).toEqual({ replies: [] });
  expect(push("touser=oABC&command=CancelTyping")).toEqual({ replies: [] });
});

test("a push without msgtype, command or status is refused", () => {
  expect(() => push('{"touser":"oABC"}')).toThrow(
    expect.objectContaining({ code: "MESSAGE_INVALID", message: expect.stringContaining("msgtype") }),
  );
});

describe("a field of a status that cannot be read is left out, and one that is empty says that there is none:", () => {
  test.each([
    ['"agent_name":7', { agentName: "7" }],
    ['"agent_name":12345678901234567890', { agentName: "12345678901234567890" }],
    ['"turn":2.5', null],
    ['"turn":"abc"', null],
    ['"turn":-1', null],
    ['"turn":true,"agent_name":"Li"', { agentName: "Li" }],
    ['"agent_name":{},"msg":[],"turn":3', { turn: 3 }],
    ['"turn":null', { turn: null }],
    ['"turn":"","agent_name":" "', { turn: null, agentName: null }],
  ])("%s", (said, report) => {
    expect(replyOf(`{"touser":"o","msgtype":"text","text":{"content":"x"},${said}}`)?.report).toEqual(report);
  });
});

test.each([
  ["JSON", '{"touser":12345,"msgtype":" Text\\n","text":{"content":"hi"}}'],
  ["a form", "touser=12345&msgtype=TEXT+&text[content]=hi"],
  ["XML", "<xml><ToUserName>12345</ToUserName><MsgType> TEXT </MsgType><Content>hi</Content></xml>"],
  ["a list of messages", '{"customer_token":12345,"messages":[{"type":"Message ","data":{"content":"hi"}}]}'],
])("a contact of digits and a type in capitals are taken as %s", (_form, body) => {
  expect(replyOf(body)).toMatchObject({ openId: "12345", content: { type: "text", text: "hi" } });
});

test("a contact of more digits than a number holds keeps them all", () => {
  expect(replyOf('{"touser":12345678901234567890,"status":"offline"}')?.openId).toBe("12345678901234567890");
});

describe("the desk's message id", () => {
  const idOf = (field: string) => replyOf(`{"touser":"o","msgtype":"text","text":{"content":"x"},${field}}`)?.pushId;
  for (const [field, pushId] of [
    ['"message_id":"a1"', "a1"],
    ['"MsgId":12', "12"],
    ['"msgid":"7"', "7"],
    ['"id":" 8 "', "8"],
    ['"id":1,"message_id":2', "2"],
    ['"message_id":18446744073709551615', "18446744073709551615"],
    ['"message_id":9007199254740993', "9007199254740993"],
    ['"message_id":""', null],
    ['"message_id":0', null],
    ['"message_id":null', null],
    ['"message_id":{"a":1}', null],
    [`"message_id":"${"x".repeat(129)}"`, null],
  ] as const) {
    test(`${field.slice(0, 40)} is ${pushId}`, () => {
      expect(idOf(field)).toBe(pushId);
    });
  }
});

describe("an openid that cannot be one is refused:", () => {
  for (const touser of ["", " ", "o A", "o\n", "o\0", "\ud800", "x".repeat(129), null, ["o"], {}, true]) {
    test(JSON.stringify(touser).slice(0, 20), () => {
      const body = JSON.stringify({ touser, msgtype: "text", text: { content: "hi" } });
      expect(() => push(body)).toThrow(expect.objectContaining({ code: "MESSAGE_INVALID", message: expect.stringMatching(/^touser: /) }));
    });
  }

  test("and one of 128 characters is taken", () => {
    expect(replyOf(`{"touser":"${"x".repeat(128)}","status":"offline"}`)?.openId).toHaveLength(128);
  });
});
