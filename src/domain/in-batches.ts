export interface BatchOptions<Input> {
  /** Inputs of one run. */
  sizeMax: number;
  /** A run that takes longer no longer holds up the next one. */
  stalledAfterMs: number;
  /** Whether the inputs of a failed run are worth another try, each by itself: one of them may have spoilt it for all. */
  isWorthSplitting: (error: unknown) => boolean;
  /** Inputs of one key are never under way together: the second waits until the run with the first is over. */
  keyOf?: (input: Input) => string;
}

/**
 * What is asked for while a run is under way goes into the next one, in the order of asking. When nothing is, a run begins as soon as
 * the requests that lie in the sockets already have been read: no timer, and no waiting for company. `run` answers in the order of
 * its inputs.
 */
export function inBatches<Input, Output>(
  run: (inputs: readonly Input[]) => Promise<readonly Output[]>,
  { sizeMax, stalledAfterMs, isWorthSplitting, keyOf }: BatchOptions<Input>,
): (input: Input) => Promise<Output> {
  interface Asked {
    input: Input;
    key: string | undefined;
    resolve: (output: Output) => void;
    reject: (error: unknown) => void;
  }
  let waiting: Asked[] = [];
  let isUnderWay = false;
  const keysUnderWay = new Set<string>();

  const runOne = async (asked: Asked) => {
    try {
      const [output] = await run([asked.input]);
      asked.resolve(output as Output);
    } catch (error) {
      asked.reject(error);
    }
  };

  const runBatch = async (batch: readonly Asked[]) => {
    try {
      const outputs = await run(batch.map(({ input }) => input));
      for (const [index, { resolve }] of batch.entries()) resolve(outputs[index] as Output);
    } catch (error) {
      if (batch.length > 1 && isWorthSplitting(error)) await Promise.all(batch.map(runOne));
      else for (const { reject } of batch) reject(error);
    }
  };

  /** The first of those that wait, without those whose key is under way. */
  const takeBatch = (): Asked[] => {
    const batch: Asked[] = [];
    const left: Asked[] = [];
    for (const asked of waiting) {
      const { key } = asked;
      const fits = batch.length < sizeMax && (key === undefined || !keysUnderWay.has(key));
      if (fits && key !== undefined) keysUnderWay.add(key);
      (fits ? batch : left).push(asked);
    }
    waiting = left;
    return batch;
  };

  const next = () => {
    if (isUnderWay || waiting.length === 0) return;
    isUnderWay = true;
    // An embedded database gives the event loop no turn while it works: begun by the first request, a run would be over before the
    // second is read, and every batch would be of one.
    setImmediate(begin);
  };

  const begin = () => {
    const batch = takeBatch();
    if (batch.length === 0) {
      isUnderWay = false;
      return;
    }
    let isStalled = false;
    const stalled = setTimeout(() => {
      isStalled = true;
      isUnderWay = false;
      next();
    }, stalledAfterMs);
    void runBatch(batch).finally(() => {
      clearTimeout(stalled);
      for (const { key } of batch) if (key !== undefined) keysUnderWay.delete(key);
      if (!isStalled) isUnderWay = false;
      next();
    });
  };

  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, key: keyOf?.(input), resolve, reject });
      next();
    });
}
