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
