import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("the README is short: at most 150 lines of at most 100 characters", () => {
  const lines = readFileSync("README.md", "utf8").trimEnd().split("\n");
  expect(lines.length).toBeLessThanOrEqual(150);
  expect(lines.filter((line) => [...line].length > 100)).toEqual([]);
});
