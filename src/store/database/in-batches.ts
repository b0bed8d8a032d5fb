export interface BatchOptions<Input> {
  /** Inputs of one run. */
  sizeMax: number;
  /** A run that takes longer no longer holds up the next one. */
  stalledAfterMs: number;
  /** Whether the inputs of a failed run are worth another try, each by itself: one of them may have spoilt it for all. */
  isWorthSplitting: (error: unknown) => boolean;
  /** Inputs of one key are never under way together: the second waits until the run with the first is over. */
  keyOf?: (input: Input) => string;
  /** An input that has waited longer fails without a run, because its caller has given up by then. */
  waitMsMax?: number;
  /** Runs under way at once, those that have stalled included: the rest of the connections is for others. */
  runsMax?: number;
}

const RUNS_MAX = 3;

/** It was not begun in time. The code is explained with those of the database, which is what it waited for. */
export class WaitedTooLongError extends Error {
  readonly code = "WAITED_TOO_LONG";
  override name = "WaitedTooLongError";
}

/**
 * What is asked for while a run is under way goes into the next one, in the order of asking. When nothing is, a run begins as soon as
 * the requests that lie in the sockets already have been read: no timer, and no waiting for company. `run` answers in the order of
 * its inputs.
 */
export function inBatches<Input, Output>(
  run: (inputs: readonly Input[]) => Promise<readonly Output[]>,
  { sizeMax, stalledAfterMs, isWorthSplitting, keyOf, waitMsMax = Number.POSITIVE_INFINITY, runsMax = RUNS_MAX }: BatchOptions<Input>,
): (input: Input) => Promise<Output> {
  interface Asked {
    input: Input;
    key: string | undefined;
    atMs: number;
    /** Its run failed, perhaps for another input. */
    isAlone: boolean;
    resolve: (output: Output) => void;
    reject: (error: unknown) => void;
  }
  let waiting: Asked[] = [];
  let isPlanned = false;
  let running = 0;
  /** Runs that have not stalled. */
  let lively = 0;
  const keysUnderWay = new Set<string>();

  const runBatch = async (batch: readonly Asked[]) => {
    try {
      const outputs = await run(batch.map(({ input }) => input));
      for (const [index, { resolve }] of batch.entries()) resolve(outputs[index] as Output);
    } catch (error) {
      if (batch.length > 1 && isWorthSplitting(error)) waiting = [...batch.map((asked) => ({ ...asked, isAlone: true })), ...waiting];
      else for (const { reject } of batch) reject(error);
    }
  };

  /** The first of those that wait, without those whose key is under way; or the first that goes alone. */
  const takeBatch = (onlyAlone: boolean): Asked[] => {
    const batch: Asked[] = [];
    const left: Asked[] = [];
    const nowMs = performance.now();
    for (const asked of waiting) {
      const { key, isAlone } = asked;
      if (nowMs - asked.atMs > waitMsMax) {
        asked.reject(new WaitedTooLongError("it has waited too long to be stored"));
        continue;
      }
      const hasRoom = isAlone || onlyAlone ? isAlone && batch.length === 0 : batch.length < sizeMax && !batch[0]?.isAlone;
      const fits = hasRoom && (key === undefined || !keysUnderWay.has(key));
      if (fits && key !== undefined) keysUnderWay.add(key);
      (fits ? batch : left).push(asked);
    }
    waiting = left;
    return batch;
  };

  /** One batch at a time, unless it stalls; those that go alone need not wait for each other. */
  const mayBegin = () => running < runsMax && (lively === 0 || waiting[0]?.isAlone === true);

  const next = () => {
    if (isPlanned || waiting.length === 0 || !mayBegin()) return;
    isPlanned = true;
    // An embedded database gives the event loop no turn while it works: begun by the first request, a run would be over before the
    // second is read, and every batch would be of one.
    setImmediate(begin);
  };

  const begin = () => {
    isPlanned = false;
    while (mayBegin()) {
      const batch = takeBatch(lively > 0);
      if (batch.length === 0) return;
      start(batch);
    }
  };

  const start = (batch: readonly Asked[]) => {
    running++;
    lively++;
    let isStalled = false;
    const stalled = setTimeout(() => {
      isStalled = true;
      lively--;
      next();
    }, stalledAfterMs);
    void runBatch(batch).finally(() => {
      clearTimeout(stalled);
      for (const { key } of batch) if (key !== undefined) keysUnderWay.delete(key);
      running--;
      if (!isStalled) lively--;
      next();
    });
  };

  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, key: keyOf?.(input), atMs: performance.now(), isAlone: false, resolve, reject });
      next();
    });
}
