import fc from "fast-check";
import { expect, test } from "vitest";
import { fittingLength } from "../../src/domain/split-text.ts";

const CLUSTERS = ["a", "é", "第", "😀", "👩‍👩‍👧‍👦", "🇨🇳", "e\u0301", " ", "\n", "。", ". ", "!", "\r\n", "ก็", "👍🏽"];
const anyText = fc.oneof(
  fc.string({ unit: fc.constantFrom(...CLUSTERS), maxLength: 300 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 200 }),
);
const limit = fc.integer({ min: 4, max: 200 });

function split(text: string, bytesMax: number): string[] {
  const parts: string[] = [];
  for (let rest = text; rest !== ""; ) {
    const length = fittingLength(rest, bytesMax);
    expect(length).toBeGreaterThan(0);
    parts.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  return parts;
}

const graphemes = (text: string) => [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)];

test("the parts are the text, and each fits", () => {
  fc.assert(
    fc.property(anyText, limit, (text, bytesMax) => {
      const parts = split(text, bytesMax);
      expect(parts.join("")).toBe(text);
      for (const part of parts) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(bytesMax);
    }),
    { numRuns: 500 },
  );
});

test("no character is torn that fits by itself", () => {
  fc.assert(
    fc.property(anyText, limit, (text, bytesMax) => {
      const length = fittingLength(text, bytesMax);
      const torn = graphemes(text).find(({ index, segment }) => index < length && length < index + segment.length);
      if (torn === undefined) return;
      // Only a character that exceeds the limit alone, and then at the beginning and between code points.
      expect(Buffer.byteLength(torn.segment)).toBeGreaterThan(bytesMax);
      expect(torn.index).toBe(0);
      expect(/^[\uDC00-\uDFFF]/.test(text.slice(length)) && /[\uD800-\uDBFF]$/.test(text.slice(0, length))).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test("a text that fits stays whole, and a longer one ends where a reader pauses", () => {
  expect(fittingLength("hello", 5)).toBe(5);
  expect(fittingLength("", 5)).toBe(0);
  expect(split("one line\nand another", 12)).toEqual(["one line\n", "and another"]);
  expect(split("several words here", 10)).toEqual(["several ", "words here"]);
});

const ADDRESSES = [
  "https://shop.example.com/order?id=123456789&token=abc;def.ghi!x",
  "http://例子.cn/a",
  "HTTPS://x.cn/?q=1?2;3",
  "weixin://dl/business/?t=abc;d",
  "mailto:a.b@shop.example.com?subject=x;y",
  "shop.example.com/order?id=1;x=2",
  "a.b+c@shop.example.com",
  "myapp://open/page?id=1;b",
  "https://de.example.org/wiki/Käse?x=1",
  "https://x.cn/(a)",
];
/** As written in chats: glued to Chinese, in quotes and brackets, at the end of a sentence. */
const WRITTEN: [before: string, after: string][] = [
  ["见", "。"],
  [" ", ". And"],
  ["\n", "\n"],
  ["“", "”"],
  ["<", ">"],
  ["", "，好"],
  ["看", "看"],
  ["", "? "],
  ["(", ") "],
];
const written = fc.tuple(fc.constantFrom(...ADDRESSES), fc.constantFrom(...WRITTEN)).map(([address, [before, after]]) => ({
  text: before + address + after,
  // Chinese ends an address, so that of this one only the beginning is one.
  address: /^http:\/\/例/.test(address) ? "" : address,
  before,
}));
const words = fc
  .string({ unit: fc.constantFrom(...CLUSTERS, "？", "?", ";", "x"), maxLength: 60 })
  .map((text) => ({ text, address: "", before: "" }));

test("no part ends inside an address that fits into one, wherever it stands", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(words, written), { maxLength: 12 }), fc.integer({ min: 70, max: 200 }), (pieces, bytesMax) => {
      const text = pieces.map((piece) => piece.text).join("");
      const parts = split(text, bytesMax);
      expect(parts.join("")).toBe(text);
      const ends = new Set<number>();
      let end = 0;
      for (const part of parts) {
        expect(Buffer.byteLength(part)).toBeLessThanOrEqual(bytesMax);
        end += part.length;
        ends.add(end);
      }
      let at = 0;
      for (const { text: piece, address, before } of pieces) {
        const start = at + before.length;
        const inside = [...ends].filter((each) => start < each && each < start + address.length);
        expect([text, inside.map((each) => text.slice(start, each))]).toEqual([text, []]);
        at += piece.length;
      }
    }),
    { numRuns: 1_000 },
  );
});

const ORDER = "https://shop.example.com/order?id=123456789012345678&token=abcdefghijklmnopqrstuvwxyz012345";

test.each([
  ["behind many letters and a blank", `${"x".repeat(1_990)} ${ORDER}`, `${"x".repeat(1_990)} `],
  ["behind many letters, without one", `${"x".repeat(1_990)}${ORDER}`, "x".repeat(1_990)],
  ["glued to Chinese", `${"见".repeat(660)}${ORDER}。谢谢`, "见".repeat(660)],
  ["in Chinese quotes", `${"第".repeat(660)}“${ORDER}”`, `${"第".repeat(660)}“`],
  ["with a scheme of WeChat's", `${"x".repeat(2_000)} weixin://dl/business/?t=${"a;".repeat(40)}`, `${"x".repeat(2_000)} `],
])("an address %s goes into the next part whole", (_where, text, first) => {
  expect(split(text, 2_048)).toEqual([first, text.slice(first.length)]);
});

test("an address that fits into no part is cut, and the parts are as few as without one", () => {
  const text = `see https://shop.example.com/?q=${"a;b?".repeat(1_000)}`;
  const parts = split(text, 1_800);
  expect(parts.join("")).toBe(text);
  expect(parts).toHaveLength(Math.ceil(text.length / 1_800));
});

test("an address right at the limit fits, with or without the full stop behind it", () => {
  const address = `https://x.cn/${"a".repeat(187)}`;
  expect(split(`see ${address}. Bye`, 200)).toEqual(["see ", address, ". Bye"]);
  expect(split(`see ${address}. Bye`, 201)).toEqual(["see ", `${address}.`, " Bye"]);
});

test("a sentence still ends at its question mark, in Chinese as in English", () => {
  expect(split("Are you there? I am waiting", 20)).toEqual(["Are you there?", " I am waiting"]);
  expect(split("你在吗?我在等你呢", 18)).toEqual(["你在吗?", "我在等你呢"]);
  expect(split("你在吗？我在等你呢", 18)).toEqual(["你在吗？", "我在等你呢"]);
});

test.each([
  ["dots", "a.".repeat(500_000)],
  ["letters", "a".repeat(1_000_000)],
  ["schemes", "https://".repeat(125_000)],
  ["at signs", "a@".repeat(500_000)],
  ["hyphens", "a-".repeat(500_000)],
])("a megabyte of %s is split in linear time", (_what, text) => {
  expect(fittingLength(text, 2_048)).toBeLessThanOrEqual(2_048);
});
