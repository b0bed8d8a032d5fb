import type { ExitCode } from "./failure.ts";
import { toTable } from "./terminal/table.ts";

/** One thing that was looked at. */
export interface Finding {
  name: string;
  ok: boolean | "warning";
  /** What was found. */
  what: string;
  /** Why it matters. */
  why: string;
  /** What to do; null when nothing is to be done. */
  remedy: string | null;
  account?: string;
  ms?: number;
}

const MARKS = { true: "ok", false: "FAILED", warning: "warning" } as const;

/** What was found, line by line; then, for all that is not as it should be, why that matters and what to do. */
export function renderFindings(findings: readonly Finding[]): string {
  const rows = findings.map(({ name, ok, what, account, ms }) => [
    MARKS[`${ok}`],
    name,
    account,
    ms === undefined ? null : `${ms} ms`,
    what,
  ]);
  const remedies = findings.filter(({ ok }) => ok !== true).map(toRemedy);
  const failed = findings.filter(({ ok }) => ok === false).length;
  const warnings = findings.filter(({ ok }) => ok === "warning").length;
  return [
    toTable(["", "CHECK", "ACCOUNT", "TIME", "FOUND"], rows),
    ...remedies,
    `${failed} failed, ${warnings} to look at, of ${findings.length}`,
  ].join("\n\n");
}

/** A warning is no failed check. */
export function toFindingsExitCode(findings: readonly Finding[]): ExitCode {
  return findings.some(({ ok }) => ok === false) ? 1 : 0;
}

function toRemedy({ name, account, why, remedy }: Finding): string {
  const where = account === undefined ? name : `${name} (${account})`;
  return [`${where}:`, ...(why === "" ? [] : [` ${why}`]), ...(remedy === null ? [] : [`\n  → ${remedy}`])].join("");
}
