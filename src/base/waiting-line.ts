/** The queue of received input that is not stored yet. A vendor waits for each and hangs up at a known moment; the worker can wait. */
export interface WaitingLine {
  /** The same function, whose calls under way are counted. */
  counted<Input, Output>(work: (input: Input) => Promise<Output>): (input: Input) => Promise<Output>;
  size(): number;
  /** How long one that comes now will probably wait. */
  expectedMs(): number;
}

/** As many as one statement stores (BATCH_OPTIONS of the store). */
const BATCH = 100;
/** Weight of the newest sample: one batch of answers moves the mean to the present. */
const NEWEST = 0.05;

interface Waiting {
  sinceMs: number;
  /** Statements it has to wait for, its own included. */
  batches: number;
}

/**
 * Expects of the next one what the last ones met: the time of one statement, times the statements that are needed for all before it.
 * While nothing succeeds, the statement takes at least as long as nothing has; that is how a lock, a database that stands still and one
 * that is too slow are noticed before the first of those that wait has an answer.
 */
export function createWaitingLine(nowMs: () => number = () => performance.now()): WaitingLine {
  const waiting = new Set<Waiting>();
  let batchMs = 0;
  let succeededAtMs = 0;

  const batchesFor = (count: number) => Math.ceil(count / BATCH);

  return {
    counted: (work) => async (input) => {
      const own: Waiting = { sinceMs: nowMs(), batches: batchesFor(waiting.size + 1) };
      waiting.add(own);
      try {
        const output = await work(input);
        succeededAtMs = nowMs();
        batchMs += ((succeededAtMs - own.sinceMs) / own.batches - batchMs) * NEWEST;
        return output;
      } finally {
        waiting.delete(own);
      }
    },
    size: () => waiting.size,
    expectedMs: () => {
      // A Set gives its members in the order in which they came.
      const [oldest] = waiting;
      if (oldest === undefined) return 0;
      const idleMs = nowMs() - Math.max(oldest.sinceMs, succeededAtMs);
      return batchesFor(waiting.size + 1) * Math.max(batchMs, idleMs);
    },
  };
}
