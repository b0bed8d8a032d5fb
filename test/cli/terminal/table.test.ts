import { expect, test } from "vitest";
import { shorten, toList, toTable, toWidth } from "../../../src/cli/terminal/table.ts";

test("columns stand below each other although Chinese is twice as wide", () => {
  expect(
    toTable(
      ["ID", "NAME", "ON"],
      [
        ["a", "商店", true],
        ["long-id", "Shop", false],
      ],
    ),
  ).toBe("ID       NAME  ON\na        商店  yes\nlong-id  Shop  no");
  expect(["a", "商", "é", "e\u0301", "🙂", "，"].map(toWidth)).toEqual([1, 2, 1, 1, 2, 2]);
});

test("what is not there is a dash, and nothing stands behind the last word of a line", () => {
  expect(
    toList([
      ["turn", null],
      ["agentName", ""],
      ["held", 0],
    ]),
  ).toBe("turn       -\nagentName  -\nheld       0");
});

test("what a customer wrote cannot move the reader's cursor or hide anything", () => {
  expect(toTable(["TEXT"], [["a\u001b[31mred\r\nnew\u0085line\u202eesrever\u200b"]])).toBe("TEXT\na [31mred new line esrever");
});

test("a long text is cut between characters", () => {
  expect(shorten("🙂🙂🙂🙂", 3)).toBe("🙂🙂…");
  expect(shorten("🙂🙂🙂", 3)).toBe("🙂🙂🙂");
});
