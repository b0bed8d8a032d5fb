/** One thing that was looked at: what is the case, why it matters, what to do. */
export interface Finding {
  /** Stable, for scripts: `settings`, `database`, `masterKey`, … */
  name: string;
  /** "warning": it works, but an operator should look at it. "pending": not done yet; the remedy is the next step. */
  ok: boolean | "warning" | "pending";
  what: string;
  why: string;
  /** Null where there is nothing to do. */
  remedy: string | null;
  account?: string;
  ms?: number;
}

/** Whether a script may go on: warnings and open steps do not stop it. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ ok }) => ok !== false);
}
