import type { Machine } from "./machine.ts";
import type { Mode } from "./options.ts";
import type { Spread } from "./statistics.ts";

/** What one benchmark found, ready to be shown on a terminal and in docs/benchmarks.md. */
export interface Report {
  name: string;
  at: string;
  mode: Mode;
  machine: Machine;
  /** By the names in measures.ts. Absent in reports that are older than the measures. */
  measures?: Readonly<Record<string, Spread | undefined>>;
  tables: Table[];
  goals: Goal[];
}

export interface Table {
  title: string;
  columns: string[];
  rows: string[][];
  notes?: string[];
}

export interface Goal {
  /** The goal in words, with its figure. */
  goal: string;
  /** What was measured, in the same unit. */
  actual: string;
  isMet: boolean;
  /** How far off, when it is missed. */
  missedBy?: string;
}

export type Findings = Pick<Report, "measures" | "tables" | "goals">;

/** A goal that is a number to reach. */
export function atLeast(goal: string, actual: number, wanted: number): Goal {
  const isMet = actual >= wanted;
  return { goal, actual: format(actual), isMet, ...(!isMet && { missedBy: `${format(wanted / actual)} times short` }) };
}

/** A goal that is a number not to exceed. */
export function atMost(goal: string, actual: number, wanted: number): Goal {
  const isMet = actual <= wanted;
  return { goal, actual: format(actual), isMet, ...(!isMet && { missedBy: `${format(actual / wanted)} times the limit` }) };
}

/** Three figures that count, whatever the size. */
export function format(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en-US");
  if (Math.abs(value) >= 100) return value.toFixed(0);
  if (Math.abs(value) >= 10) return value.toFixed(1);
  return value.toFixed(Math.abs(value) >= 0.1 || value === 0 ? 2 : 3);
}

/** `median (min–max)`. */
export function formatSpread({ median, min, max }: { median: number; min: number; max: number }): string {
  return min === max ? format(median) : `${format(median)} (${format(min)}–${format(max)})`;
}
