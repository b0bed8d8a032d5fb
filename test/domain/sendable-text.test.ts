import { expect, test } from "vitest";
import { isBlank, toSendableText } from "../../src/domain/sendable-text.ts";
import { cdata } from "../../src/wechat/xml.ts";

test("a sendable text loses nothing more in a passive reply", () => {
  const every = Array.from({ length: 0x11000 }, (_, codePoint) => String.fromCodePoint(codePoint)).join("");
  const text = toSendableText(`a\u0007b\0c\u000b\ud800\ufffe😀\t\r\n ${every}`);
  expect(text).toMatch(/^abc😀\t\r\n /);
  expect(cdata(text).replaceAll("]]]]><![CDATA[>", "]]>")).toBe(`<![CDATA[${text}]]>`);
});

test.each(["", " \n\t", "\u0007", "\u200b\u200d\ufeff", "\u2060\u00ad", "\u3000\u00a0", "\ufe0f", "\u3164", "\u2800", "\ud800", "\uffff"])(
  "nobody sees anything in %j",
  (text) => {
    expect(isBlank(text)).toBe(true);
    expect(isBlank(`${text}x`)).toBe(false);
  },
);

test.each([".", "0", "好", "😀", "👨‍👩‍👧", "❤️", "\ufffd", "ー"])("somebody sees %j", (text) => {
  expect(isBlank(text)).toBe(false);
});
