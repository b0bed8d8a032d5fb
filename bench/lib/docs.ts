import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { toMeasuresTable } from "./measures.ts";
import type { Goal, Report, Table } from "./report.ts";

const PAGE = fileURLToPath(new URL("../../docs/benchmarks.md", import.meta.url));
/** What the page shows, as it was measured; the only results in git. */
const PUBLISHED = fileURLToPath(new URL("../published.json", import.meta.url));
const BEGIN = "<!-- results: made by npm run bench -- --docs; do not edit by hand -->";
const END = "<!-- end of results -->";

/** Puts these reports in the place of earlier ones of the same name, and renders the page's tables anew. */
export function publish(reports: readonly Report[]): void {
  const before = readPublished();
  const names = new Set([...before.map(({ name }) => name), ...reports.map(({ name }) => name)]);
  const all = [...names].flatMap((name) => [...reports, ...before].find((report) => report.name === name) ?? []);
  writeFileSync(PUBLISHED, `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(PAGE, replaceResults(readFileSync(PAGE, "utf8"), toMarkdown(all)));
}

/** @throws Error when the page has lost its marks */
export function replaceResults(page: string, results: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error("docs/benchmarks.md has no place for the results; put its two marks back");
  return `${page.slice(0, begin + BEGIN.length)}\n\n${results}\n\n${page.slice(end)}`;
}

export function toMarkdown(reports: readonly Report[]): string {
  return [...toMeasures(reports), toGoals(reports), ...reports.map(toSection)].join("\n\n");
}

function toMeasures(reports: readonly Report[]): string[] {
  const table = toMeasuresTable(reports);
  if (table === null) return [];
  const rows = table.rows.map((row) => row.map((cell) => cell.replace(/^missed,/, "**missed**,")));
  return [`### ${table.title}\n\n${toMarkdownTable(table.columns, rows)}`];
}

function toGoals(reports: readonly Report[]): string {
  const rows = reports
    .flatMap(({ goals }) => goals)
    .map(({ goal, actual, isMet, missedBy }: Goal) => [goal, actual, isMet ? "met" : `**missed**, ${missedBy}`]);
  return `### Goals\n\n${toMarkdownTable(["goal", "measured", ""], rows)}`;
}

function toSection({ name, at, mode, machine, tables }: Report): string {
  const { processor, cores, memoryGib, node, postgres } = machine;
  const made = `\`${name}\`, ${mode}, ${at.slice(0, 10)}: ${processor}, ${cores} cores, ${memoryGib} GiB, Node ${node}, ${postgres}.`;
  return [`### ${name}`, made, ...tables.map(toTableWithTitle)].join("\n\n");
}

function toTableWithTitle({ title, columns, rows, notes = [] }: Table): string {
  return [`**${title}**`, ...(rows.length > 0 ? [toMarkdownTable(columns, rows)] : []), ...notes.map((note) => `${note}.`)].join("\n\n");
}

function toMarkdownTable(columns: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.trim().replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

function readPublished(): Report[] {
  try {
    return JSON.parse(readFileSync(PUBLISHED, "utf8")) as Report[];
  } catch {
    return [];
  }
}
