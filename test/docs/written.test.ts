import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderPlatformCodes } from "../../scripts/platform-codes.ts";
import { renderTroubleshooting } from "../../scripts/troubleshooting.ts";

const read = (path: string) => readFileSync(new URL(`../../docs/${path}`, import.meta.url), "utf8");

test("docs/platform-codes.md says what the dictionaries say; if not, run: npm run docs", () => {
  expect(read("platform-codes.md")).toBe(renderPlatformCodes());
});

test("docs/troubleshooting.md says what the mistakes that are tested say; if not, run: npm run docs", () => {
  expect(read("troubleshooting.md")).toBe(renderTroubleshooting());
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
