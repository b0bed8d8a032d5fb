import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DecodeError, VerificationError } from "../../../src/base/errors.ts";
import { createHttpClient } from "../../../src/base/http-client.ts";
import { createUdeskMessageInterface } from "../../../src/desks/udesk-message-interface/index.ts";
import { openPush } from "../../../src/desks/udesk-message-interface/push.ts";
import { toSignedQuery } from "../../../src/desks/udesk-message-interface/sign.ts";
import { KEY, KEYS, makeAccount, push, replyOf, VECTOR_TIME } from "./support.ts";

const HELLO_JSON = '{"touser":"oABC","msgtype":"text","text":{"content":"hi"}}';
const HELLO_FORM = "touser=oABC&msgtype=text&text[content]=hi";
const HELLO_XML = "<xml><ToUserName>oABC</ToUserName><MsgType>text</MsgType><Content>hi</Content></xml>";
const HELLO = { openId: "oABC", pushId: null, content: { type: "text", text: "hi" }, report: null };

describe("the form is seen from the body, whatever the content type says:", () => {
  const types = [undefined, "application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/xml", "text/plain"];
  for (const contentType of types) {
    test(String(contentType), () => {
      for (const body of [HELLO_JSON, HELLO_FORM, HELLO_XML]) expect(replyOf(body, { contentType })).toEqual(HELLO);
    });
  }

  test("also behind a byte order mark and blanks", () => {
    for (const body of [HELLO_JSON, HELLO_FORM, HELLO_XML]) expect(replyOf(`\uFEFF\r\n ${body}`)).toEqual(HELLO);
  });
});

describe("a sign in the query", () => {
  // The published vectors, udesk.md A.
  const known = { number: "13574221234", email: "894733082@qq.com", timestamp: "20151124141451", sign: "301B50B00CB609836B0D52FE4AB93CC8" };
  const unauthorized = expect.objectContaining({ code: "PUSH_UNAUTHORIZED" });

  test("is taken when it verifies", () => {
    expect(push(HELLO_JSON, { query: known }, { requireSign: true }).replies).toEqual([HELLO]);
  });

  test("covers missing values as empty ones", () => {
    const query = { timestamp: "20151124141451", sign: "5115174bbeca8a19b2fe835e3bbea724" };
    expect(push(HELLO_JSON, { query }, { requireSign: true }).replies).toEqual([HELLO]);
  });

  test("is refused when it does not verify, also where none is required", () => {
    for (const wrong of [{ sign: "5115174BBECA8A19B2FE835E3BBEA724" }, { sign: "" }, { number: "1" }, { timestamp: undefined }]) {
      expect(() => push(HELLO_JSON, { query: { ...known, ...wrong } })).toThrow(VerificationError);
    }
  });

  test("is refused when it or what it covers is repeated", () => {
    for (const name of ["sign", "number", "email", "timestamp"] as const) {
      const query = { ...known, [name]: [known[name], known[name]] };
      expect(() => push(HELLO_JSON, { query })).toThrow(unauthorized);
    }
  });

  test("may be absent, unless the account requires it", () => {
    expect(push(HELLO_JSON, { query: {} }).replies).toEqual([HELLO]);
    expect(() => push(HELLO_JSON, { query: {} }, { requireSign: true })).toThrow(unauthorized);
  });

  test("is checked before the body is looked at", () => {
    expect(() => push("garbage", { query: {} }, { requireSign: true })).toThrow(unauthorized);
  });
});

describe("a JSON array of pushes", () => {
  const said = (touser: string, content: unknown) => ({ touser, msgtype: "text", text: { content } });

  test("is taken one by one, in its order, whatever form each has", () => {
    const messages = { customer_token: "o2", messages: [{ type: "message", message_id: 7, data: { content: "two" } }] };
    expect(
      push(JSON.stringify([said("o1", "one"), messages, { touser: "o1", command: "Typing" }, said("o1", "three")])).replies,
    ).toMatchObject([
      { openId: "o1", content: { text: "one" } },
      { openId: "o2", pushId: "7", content: { text: "two" } },
      { openId: "o1", content: { text: "three" } },
    ]);
  });

  test("of which one cannot be read is refused whole, and the reason names that one", () => {
    const pushes = [said("o1", "one"), said("o1", "two"), said("o1", null), said("o1", "four"), said("o1", "five")];
    expect(() => push(JSON.stringify(pushes))).toThrow(
      expect.objectContaining({ code: "MESSAGE_INVALID", message: "push 3 of 5: text.content: expected a text" }),
    );
  });

  test("has no more messages than one push", () => {
    const pushes = Array.from({ length: 101 }, (_, index) => said("o1", `${index}`));
    expect(push(JSON.stringify(pushes.slice(1))).replies).toHaveLength(100);
    expect(() => push(JSON.stringify(pushes))).toThrow("at most 100");
  });
});

describe("what cannot be read is refused with a plain reason:", () => {
  const deep = "[".repeat(20_000) + "]".repeat(20_000);
  for (const [name, body, code, reason] of [
    ["nothing", "", "MESSAGE_INVALID", "body is neither JSON nor XML nor a form"],
    ["words", "hello there", "MESSAGE_INVALID", "body is neither JSON nor XML nor a form"],
    ["an empty object", "{}", "MESSAGE_INVALID", "JSON has neither touser nor customer_token"],
    ["an empty list", "[]", "MESSAGE_INVALID", "JSON array is empty; send at least one push in it"],
    ["a list in a list", `[[${HELLO_JSON}]]`, "MESSAGE_INVALID", "push 1 of 1: JSON has neither touser nor customer_token"],
    [
      "a form in parts",
      '--x\r\nContent-Disposition: form-data; name="touser"\r\n\r\no\r\n--x--',
      "MESSAGE_INVALID",
      "body is multipart/form-data",
    ],
    ["another form", "a=b", "MESSAGE_INVALID", "form has neither touser nor customer_token"],
    ["broken JSON", '{"touser":', "JSON_INVALID", "body is not valid JSON"],
    ["broken XML", "<xml><a></xml>", "XML_INVALID", "XML"],
    ["a DOCTYPE", "<!DOCTYPE x><xml></xml>", "XML_INVALID", "XML"],
    ["20,000 levels of JSON", deep, "MESSAGE_INVALID", "JSON has neither touser nor customer_token"],
    ["20,000 levels in the text", `{"touser":"o","msgtype":"text","text":${deep}}`, "MESSAGE_INVALID", "text: "],
    ["20,000 levels of XML", `<xml>${"<a>".repeat(20_000)}${"</a>".repeat(20_000)}</xml>`, "XML_INVALID", "XML"],
    ["a polluted prototype", '{"__proto__":{"touser":"o","msgtype":"text","text":{"content":"x"}}}', "MESSAGE_INVALID", "neither touser"],
    ["a polluted text", '{"touser":"o","msgtype":"text","text":{"__proto__":{"content":"x"}}}', "MESSAGE_INVALID", "text.content: "],
  ] as const) {
    test(name, () => {
      expect(() => push(body)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(reason) }));
    });
  }

  test("null, where JSON is announced", () => {
    expect(() => push("null", { contentType: "application/json" })).toThrow("JSON has neither touser nor customer_token");
  });

  test("bytes that are not UTF-8", () => {
    const gbk = Buffer.from([...Buffer.from("touser=o&msgtype=text&text[content]="), 0xc4, 0xe3]);
    expect(() => push(gbk)).toThrow("body is not UTF-8, nor what it is declared as; send UTF-8, or declare its encoding (charset=gbk)");
  });

  test("and the reason never quotes the message", () => {
    const bodies = [
      '{"touser":"o","secret-words',
      '{"touser":"o","msgtype":"secret-words"}',
      '{"touser":"secret words"}',
      "<xml>secret-words",
    ];
    for (const body of bodies) expect(() => push(body)).toThrow(expect.not.objectContaining({ message: expect.stringMatching(/secret/) }));
  });
});

test("huge numbers change nothing but themselves", () => {
  const body = `{"touser":"o","message_id":${"9".repeat(100)},"turn":1e999,"x":-${"8".repeat(5_000)},"msgtype":"text","text":{"content":"12345678901234567890"}}`;
  expect(replyOf(body)).toEqual({
    openId: "o",
    pushId: "9".repeat(100),
    content: { type: "text", text: "12345678901234567890" },
    report: null,
  });
});

test("a text of escapes and digits is not mistaken for numbers", () => {
  const text = '\\"12345678901234567890\\ , 12345678901234567890 "';
  expect(replyOf(JSON.stringify({ touser: "o", msgtype: "text", text: { content: text } }))?.content).toEqual({ type: "text", text });
});

test("any text in JSON comes back as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
      fc.pre(!text.includes("\0") && text.trim() !== ""); // What cannot be read is refused: another test.
      expect(replyOf(JSON.stringify({ touser: "o", msgtype: "text", text: { content: text } }))?.content).toEqual({ type: "text", text });
    }),
  );
});

describe("nothing but DecodeError in our own words comes out of", () => {
  function opens(body: string | Buffer): void {
    try {
      push(body);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
      // The words of the library, not ours.
      expect(error).not.toMatchObject({ message: expect.stringMatching(/Invalid input|received|another value/) });
    }
  }

  test("arbitrary bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => opens(Buffer.from(bytes))));
  });

  test("arbitrary JSON", () => {
    const names = fc.constantFrom(
      "touser",
      "customer_token",
      "messages",
      "msgtype",
      "text",
      "news",
      "articles",
      "type",
      "data",
      "__proto__",
    );
    const values = fc.constantFrom("o", "text", "news", "message", "image", null, 5);
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, values, fc.array(tie("tree")), fc.dictionary(names, tie("tree"))),
    }));
    fc.assert(fc.property(tree, (value) => opens(JSON.stringify(value))));
  });

  test("arbitrary forms", () => {
    const keys = fc.constantFrom(
      "touser",
      "msgtype",
      "text",
      "text[content]",
      "news[articles][][title]",
      "news[articles]",
      "[",
      "]",
      "a[b",
      "__proto__[x]",
    );
    const values = fc.constantFrom("o", "text", "news", "");
    fc.assert(fc.property(fc.array(fc.tuple(keys, values)), (pairs) => opens(new URLSearchParams(pairs).toString())));
  });

  test("a genuine push with one byte changed", () => {
    for (const body of [HELLO_JSON, HELLO_FORM, HELLO_XML]) {
      fc.assert(
        fc.property(fc.nat(body.length - 1), fc.nat(255), (position, byte) => {
          const bytes = Buffer.from(body);
          bytes[position] = byte;
          opens(bytes);
        }),
      );
    }
  });
});

test("a push is acknowledged as WeChat would, with Udesk's success beside it", async () => {
  const http = createHttpClient();
  const desk = createUdeskMessageInterface({ account: makeAccount(), key: KEY, keys: KEYS, http, now: () => VECTOR_TIME });
  await http.close();
  expect(desk.pushAcknowledgement.contentType).toBe("application/json");
  expect(JSON.parse(desk.pushAcknowledgement.body)).toEqual({ errcode: 0, errmsg: "ok", success: true });
  expect(desk.openPush({ query: {}, contentType: undefined, body: Buffer.from(HELLO_JSON) })).toEqual({ replies: [HELLO] });
});

test("a sign made with the former key is taken until its overlap ends, one made with the new key always", () => {
  const end = new Date(VECTOR_TIME.getTime() + 60_000);
  const keys = [
    { value: "the-new-key", expiresAt: null },
    { value: KEY, expiresAt: end },
  ];
  const open = (key: string, at: Date) => {
    const signed = Object.fromEntries(new URLSearchParams(toSignedQuery({ number: "1", email: "" }, key, VECTOR_TIME)));
    const request = { query: signed, contentType: undefined, body: Buffer.from(HELLO_JSON) };
    return openPush(request, { account: makeAccount({ requireSign: true }), keys, now: () => at }).replies.length;
  };
  expect(open(KEY, new Date(end.getTime() - 1))).toBe(1);
  expect(() => open(KEY, end)).toThrow(expect.objectContaining({ code: "PUSH_UNAUTHORIZED" }));
  expect(open("the-new-key", end)).toBe(1);
});
