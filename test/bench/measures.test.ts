import { expect, test } from "vitest";
import { toMarkdown } from "../../bench/lib/docs.ts";
import { MEASURES, type Measured, toMeasuresTable } from "../../bench/lib/measures.ts";
import { toText, toTextMeasures } from "../../bench/lib/print.ts";
import type { Report } from "../../bench/lib/report.ts";

const exactly = (value: number) => ({ median: value, min: value, max: value });

function report(name: string, measures?: Measured, cores = 2): Report {
  const machine = { processor: "a processor", cores, memoryGib: 8, node: "v20", postgres: "PostgreSQL 15" };
  return { name, at: "2026-01-01T00:00:00.000Z", mode: "normal", machine, ...(measures && { measures }), tables: [], goals: [] };
}

function rowOf(name: keyof Measured, ...reports: Report[]): string[] | undefined {
  return toMeasuresTable(reports)?.rows.find(([text]) => text === MEASURES[name].text);
}

test("a row says the goal, what was measured in all rounds, and whether that meets the goal", () => {
  const accept = report("accept", { acceptCpu: { median: 1.6, min: 1.4, max: 1.7 }, acceptWaiting: exactly(0.35) });
  expect(rowOf("acceptCpu", accept)?.slice(1)).toEqual(["≤ 1.60", "1.60 (1.40–1.70)", "met"]);
  expect(rowOf("acceptWaiting", accept)?.slice(1)).toEqual(["≥ 0.70", "0.35", "missed, 2.00 times short"]);
  expect(rowOf("forwardWal", report("relay", { forwardWal: exactly(3_879) }))?.slice(1)).toEqual([
    "≤ 1,400",
    "3,879",
    "missed, 2.77 times the limit",
  ]);
});

test("a run has the rows of its own benchmarks only, in the order of the whole table", () => {
  const texts = (...reports: Report[]) => toMeasuresTable(reports)?.rows.map(([text]) => text);
  const queueTexts = [MEASURES.enqueue.text, MEASURES.work.text];
  expect(texts(report("queue", {}))).toEqual(queueTexts);
  expect(texts(report("idle", {}), report("queue", {}))).toEqual(queueTexts);
  const all = ["growth", "queue", "relay", "accept"].map((name) => report(name, {}));
  expect(texts(...all)).toEqual(Object.values(MEASURES).map(({ text }) => text));
});

test("a row that could not be measured has a dash, never a figure", () => {
  const dashes = ["–", "–"];
  expect(rowOf("deskAway", report("growth", {}))?.slice(2)).toEqual(dashes);
  expect(rowOf("deskAway", report("growth", { deskAway: exactly(Number.NaN) }))?.slice(2)).toEqual(dashes);
  // JSON has no NaN.
  const kept = JSON.parse(JSON.stringify(report("growth", { deskAway: exactly(Number.NaN) }))) as Report;
  expect(rowOf("deskAway", kept)?.slice(2)).toEqual(dashes);
});

test("a throughput on two shared cores is measured on two cores only, a cost on any number", () => {
  const measured = { acceptThroughput: exactly(0.4), acceptCpu: exactly(1.5) };
  expect(rowOf("acceptThroughput", report("accept", measured))?.slice(2)).toEqual(["0.40", "met"]);
  expect(rowOf("acceptThroughput", report("accept", measured, 8))?.slice(2)).toEqual(["–", "–"]);
  expect(rowOf("acceptCpu", report("accept", measured, 8))?.slice(2)).toEqual(["1.50", "met"]);
});

test("reports from before there were measures have no table of them, on the page or on the terminal", () => {
  const old = [report("accept"), report("relay")];
  expect(toMeasuresTable(old)).toBeNull();
  expect(toTextMeasures(old)).toEqual([]);
  expect(toMarkdown(old)).not.toContain("Measures");
  const texts = toMeasuresTable([report("accept"), report("queue", {})])?.rows.map(([text]) => text);
  expect(texts).toEqual([MEASURES.enqueue.text, MEASURES.work.text]);
});

test("the measures come first, on the page and on the terminal", () => {
  const accept = { ...report("accept", { acceptCpu: exactly(3.2) }), tables: [{ title: "Accept", columns: ["a"], rows: [["1"]] }] };
  const page = toMarkdown([accept]);
  expect(page.startsWith("### Measures\n\n| measure | goal | measured | met |\n")).toBe(true);
  expect(page).toContain(`| ${MEASURES.acceptCpu.text} | ≤ 1.60 | 3.20 | **missed**, 2.00 times the limit |`);
  expect(page.indexOf("### Goals")).toBeGreaterThan(page.indexOf("### Measures"));
  const [, , title, columns, first] = toText(accept).split("\n");
  expect([title, columns?.trim().split(/ {2,}/), first?.trim().split(/ {2,}/)]).toEqual([
    "Measures",
    ["measure", "goal", "measured", "met"],
    [MEASURES.acceptCpu.text, "≤ 1.60", "3.20", "missed, 2.00 times the limit"],
  ]);
});
