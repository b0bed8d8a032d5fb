import { describe, expect, test } from "vitest";
import { push, replyOf } from "./support.ts";

const XML = { contentType: "text/xml" };

function contentOf(elements: string): unknown {
  return replyOf(`<xml><ToUserName>oABC</ToUserName>${elements}</xml>`, XML)?.content;
}

describe("each kind of XML push is read:", () => {
  for (const [elements, content] of [
    ["<MsgType>text</MsgType><Content><![CDATA[ a < b & c ]]></Content>", { type: "text", text: " a < b & c " }],
    ["<MsgType>rich</MsgType><Content><![CDATA[<p>a</p>]]></Content>", { type: "text", text: "a" }],
    ["<MsgType>image</MsgType><PicUrl>http://p</PicUrl><MediaId>m</MediaId>", { type: "image", url: "http://p", mediaId: "m" }],
    ["<MsgType>image</MsgType><Image><MediaId>m</MediaId></Image>", { type: "image", mediaId: "m" }],
    ["<MsgType>voice</MsgType><MediaId>m</MediaId><Format>amr</Format>", { type: "voice", mediaId: "m", format: "amr" }],
    ["<MsgType>voice</MsgType><Voice><MediaId>m</MediaId></Voice>", { type: "voice", mediaId: "m" }],
    [
      "<MsgType>video</MsgType><Video><MediaId>m</MediaId><Title>t</Title><Description>d</Description></Video>",
      { type: "video", mediaId: "m", title: "t", description: "d" },
    ],
    ["<MsgType>file</MsgType><MediaId>m</MediaId><Title>a.pdf</Title>", { type: "file", mediaId: "m", title: "a.pdf" }],
    [
      "<MsgType>link</MsgType><Title>t</Title><Description>d</Description><Url>http://u</Url>",
      { type: "link", title: "t", description: "d", url: "http://u" },
    ],
    [
      "<MsgType>music</MsgType><Music><Title>t</Title><HQMusicUrl>http://m</HQMusicUrl></Music>",
      { type: "link", title: "t", description: "", url: "http://m" },
    ],
    [
      "<MsgType>news</MsgType><ArticleCount>1</ArticleCount><Articles><item><Title>t</Title><Description>d</Description><PicUrl>http://p</PicUrl><Url>http://u</Url></item></Articles>",
      { type: "news", articles: [{ title: "t", description: "d", url: "http://u", pictureUrl: "http://p" }] },
    ],
    ["<MsgType>\n <![CDATA[Text]]>\n</MsgType><Content>hi</Content>", { type: "text", text: "hi" }],
  ] as const) {
    test(elements.slice(0, 80), () => {
      expect(contentOf(elements)).toEqual(content);
    });
  }
});

describe("the contact", () => {
  for (const [to, from, openId] of [
    ["oABC", undefined, "oABC"],
    [undefined, "oABC", "oABC"],
    ["oABC", "", "oABC"],
    ["oABC", "gh_0123456789ab", "oABC"],
    ["gh_0123456789ab", "oABC", "oABC"],
    ["wx0123456789abcdef", "oABC", "oABC"],
    ["oABC", "wx0123456789abcdef", "oABC"],
    ["oABC", "agent@desk", "oABC"],
  ] as const) {
    test(`is ${openId} in a push to ${to ?? "nobody"} from ${from ?? "nobody"}`, () => {
      const names = `${to === undefined ? "" : `<ToUserName>${to}</ToUserName>`}${from === undefined ? "" : `<FromUserName>${from}</FromUserName>`}`;
      expect(replyOf(`<xml>${names}<MsgType>text</MsgType><Content>hi</Content></xml>`, XML)?.openId).toBe(openId);
    });
  }

  test("is missed by name when nobody is named", () => {
    expect(() => push("<xml><MsgType>text</MsgType><Content>hi</Content></xml>", XML)).toThrow(
      expect.objectContaining({ code: "MESSAGE_INVALID", message: "XML has neither ToUserName nor FromUserName" }),
    );
  });
});

describe("words that are not where they are looked for refuse the push:", () => {
  for (const [elements, reason] of [
    ["<Status>chatting</Status><Content>hi</Content>", "push has content but no msgtype"],
    ["<MsgType>text</MsgType><Content>hi <b>there</b></Content>", "Content has elements in it; put its text into CDATA"],
    ["<MsgType>image</MsgType><MediaId>m</MediaId><Content>words</Content>", "image.content: is not shown there"],
    ["<MsgType>image</MsgType><Image><MediaId>m</MediaId></Image><Content>words</Content>", "push has content beside its image"],
    ["<MsgType>text</MsgType><Content>hi</Content><Articles><item><Title>t</Title></item></Articles>", "text.articles: is not shown there"],
    ["<MsgType>text</MsgType><Content>one</Content><Content>two</Content>", "XML says Content twice"],
  ]) {
    test(`${elements}`, () => expect(() => contentOf(elements ?? "")).toThrow(reason));
  }
});

test("id and status of an XML push are read", () => {
  const xml =
    "<xml><ToUserName>o</ToUserName><MsgType>text</MsgType><Content>hi</Content><MsgId>18446744073709551615</MsgId>" +
    "<Status>queuing</Status><Turn>2</Turn><AgentName>Li</AgentName><Msg>2 before you</Msg></xml>";
  expect(replyOf(xml, XML)).toEqual({
    openId: "o",
    pushId: "18446744073709551615",
    content: { type: "text", text: "hi" },
    report: { status: "queueing", turn: 2, agentName: "Li", notice: "2 before you" },
  });
});

test("a status or a typing hint needs no MsgType", () => {
  expect(replyOf("<xml><ToUserName>o</ToUserName><status>offline</status></xml>", XML)).toMatchObject({ report: { status: "offline" } });
  expect(push("<xml><ToUserName>o</ToUserName><Command>Typing</Command></xml>", XML)).toEqual({ replies: [] });
});

test("a MsgType named like an object's own parts is merely unknown", () => {
  for (const name of ["__proto__", "constructor", "touser"]) {
    expect(() => contentOf(`<MsgType>${name}</MsgType><Content>hi</Content>`)).toThrow(
      expect.objectContaining({ code: "CONTENT_UNSUPPORTED" }),
    );
  }
});
