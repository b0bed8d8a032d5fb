import { expect, test } from "vitest";
import { percentile, toRatio, toSpread } from "../../bench/lib/statistics.ts";

test("a percentile lies between the two nearest values, whatever their order", () => {
  expect(percentile([4, 1, 3, 2, 5], 50)).toBe(3);
  expect(percentile([1, 2], 50)).toBe(1.5);
  const thousand = Array.from({ length: 1_000 }, (_, index) => index);
  expect(percentile(thousand, 99.9)).toBeCloseTo(998.001, 3);
  expect(percentile(thousand, 100)).toBe(999);
});

test("rounds are summed up by their median and how far they lie apart; none at all is an error", () => {
  expect(toSpread([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 });
  expect(() => toSpread([])).toThrow(RangeError);
});

test("a ratio compares what was measured in the same round", () => {
  expect(toRatio([10, 200], [20, 400])).toEqual({ median: 0.5, min: 0.5, max: 0.5 });
});
