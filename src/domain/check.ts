/** One check of an account, in plain sentences for its operator. */
export interface CheckResult {
  ok: boolean;
  /** What was found. */
  sentence: string;
  /** Why that matters. */
  why?: string;
  /** What to do. With `ok` it is advice: the account works, and somebody should have a look. */
  remedy?: string;
  /** The remedy is a step of connecting the account. Before anything has come in, the step is not done yet, which is no fault. */
  isStep?: boolean;
  /** The platform's or the desk's own code, where it gave one. */
  code?: string;
  /** How far our clock is ahead of the clock of whoever answered; null when they did not tell theirs. */
  clockOffsetMs?: number | null;
}
