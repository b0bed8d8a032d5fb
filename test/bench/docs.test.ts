import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { replaceResults, toMarkdown } from "../../bench/lib/docs.ts";
import { summarize } from "../../bench/lib/profile.ts";
import { atLeast, atMost, type Report } from "../../bench/lib/report.ts";

const PUBLISHED = new URL("../../bench/published.json", import.meta.url);
const PAGE = new URL("../../docs/benchmarks.md", import.meta.url);

test("the page shows exactly the results that are in git", () => {
  const page = readFileSync(PAGE, "utf8");
  const published = JSON.parse(readFileSync(PUBLISHED, "utf8")) as Report[];
  expect(replaceResults(page, toMarkdown(published))).toBe(page);
});

test("a page without its marks is not overwritten", () => {
  expect(() => replaceResults("# Benchmarks", "")).toThrow("two marks");
});

test("a missed goal says by how much", () => {
  expect(atLeast("g", 0.25, 0.5)).toMatchObject({ isMet: false, missedBy: "2.00 times short" });
  expect(atMost("g", 3_000, 1_000)).toMatchObject({ isMet: false, missedBy: "3.00 times the limit" });
  expect(atMost("g", 0, 0)).toEqual({ goal: "g", actual: "0.00", isMet: true });
});

test("a profile is summed up by whose code took the time, without the time in which nothing ran", () => {
  const node = (id: number, functionName: string, url = "") => ({ id, callFrame: { functionName, url } });
  const nodes = [
    node(1, "(idle)"),
    node(2, "query", "file:///x/node_modules/pg/lib/client.js"),
    node(3, "settle", "file:///x/dist/store/settle.js"),
  ];
  const { owners } = summarize({ nodes, samples: [1, 2, 2, 3], timeDeltas: [900, 30, 45, 25] });
  expect(owners).toEqual([
    { name: "database driver (pg)", share: 0.75 },
    { name: "src/store", share: 0.25 },
  ]);
});
