import { isOwnFault } from "./to-database-fault.ts";

/** For what writes to conversations in one statement. */
export const BATCH_OPTIONS = {
  /** Enough to take what comes while one statement is under way; the first of them waits for the last. */
  sizeMax: 100,
  /** A statement that waits for a lock must not hold up all others. */
  stalledAfterMs: 250,
  /** A database that is away, full or read-only is so for each of them. */
  isWorthSplitting: isOwnFault,
};
