import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderPlatformCodes } from "../../scripts/platform-codes.ts";
import { renderTroubleshooting } from "../../scripts/troubleshooting.ts";
import { MISTAKES, type Mistake } from "../mistakes/list.ts";

const read = (path: string) => readFileSync(new URL(`../../docs/${path}`, import.meta.url), "utf8");

test("docs/platform-codes.md says what the dictionaries say; if not, run: npm run docs", () => {
  expect(read("platform-codes.md")).toBe(renderPlatformCodes());
});

test("docs/troubleshooting.md says what the mistakes that are tested say; if not, run: npm run docs", () => {
  expect(read("troubleshooting.md")).toBe(renderTroubleshooting());
});

test("each sentence that docs/connecting.md quotes of a common mistake is one of the list", () => {
  const table = read("connecting.md").split("## Common mistakes")[1]?.split("Over sixty more")[0] ?? "";
  const quoted = table.split("\n").flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]{25,})`/g)].map(([, text = ""]) => text));
  const sentences = Object.values(MISTAKES).flatMap((group) => Object.values<Mistake>(group).map(({ sentence }) => sentence));
  const isSaid = (text: string) => {
    const start = text.split("…")[0]?.trimEnd().replace(/\($/, "") ?? "";
    return sentences.some((sentence) => sentence.includes(start));
  };
  expect(quoted.length).toBeGreaterThan(9);
  expect(quoted.filter((text) => !isSaid(text))).toEqual([]);
  expect(sentences.length).toBeGreaterThan(70);
});

test("every return code that the reference names is in the dictionary of its platform", () => {
  const section = read("reference/wechat.md").split("## 9 ")[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => /^\| /.test(line) && !line.includes("meaning"));
  const [officialAccounts = "", wecom = ""] = renderPlatformCodes().split("## WeCom");
  const codesOf = (cell = "") => cell.match(/-?\d+/g) ?? [];
  const cells = rows.map((row) => row.split("|"));
  const missing = cells.flatMap(([, ours, , , theirs]) => [
    ...codesOf(ours).filter((code) => !officialAccounts.includes(`| ${code} |`)),
    ...codesOf(theirs).filter((code) => !wecom.includes(`| ${code} |`)),
  ]);
  expect(cells.length).toBeGreaterThan(15);
  expect(missing).toEqual([]);
});
