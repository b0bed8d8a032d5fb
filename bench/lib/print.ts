import { toMeasuresTable } from "./measures.ts";
import type { Goal, Report, Table } from "./report.ts";

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The report as plain text, columns aligned. */
export function toText(report: Report): string {
  const { name, mode, machine, tables, goals } = report;
  const { processor, cores, memoryGib, node, postgres } = machine;
  return [
    `== ${name} (${mode}; ${processor}, ${cores} cores, ${memoryGib} GiB, Node ${node}, ${postgres})`,
    ...toTextMeasures([report]),
    ...tables.map(toTextTable),
    ...goals.map(toTextGoal),
    "",
  ].join("\n");
}

/** The measures of all these reports in one table; nothing when none was taken. */
export function toTextMeasures(reports: readonly Report[]): string[] {
  const table = toMeasuresTable(reports);
  return table === null ? [] : [toTextTable(table)];
}

function toTextTable({ title, columns, rows, notes = [] }: Table): string {
  const widths = columns.map((column, place) => Math.max(column.length, ...rows.map((row) => row[place]?.length ?? 0)));
  const line = (cells: string[]) => `  ${cells.map((cell, place) => cell.padEnd(widths[place] ?? 0)).join("  ")}`.trimEnd();
  return ["", title, line(columns), ...rows.map(line), ...notes.map((note) => `  ${note}`)].join("\n");
}

function toTextGoal({ goal, actual, isMet, missedBy }: Goal): string {
  return `${isMet ? "met   " : "MISSED"} ${goal}: ${actual}${missedBy === undefined ? "" : `, ${missedBy}`}`;
}
