/** The same work for each queue: numbered messages, each with the key whose order counts. */
export interface QueueLoad {
  url: string;
  first: number;
  count: number;
  keys: number;
}

export interface Enqueued {
  seconds: number;
}

export interface Worked {
  seconds: number;
  done: number;
  disordered: number;
}

/** Entries are handed in by so many at once, in so many statements at once. */
export const BATCH = 50;
export const ENQUEUERS = 4;
/** Work that makes no progress for so long is given up; what was done until then counts. */
const SECONDS_MAX = 30;

export interface Tally {
  note(key: string | number, number: number): void;
  isOver(): boolean;
  /** Resolves when all are done or the time is up. */
  over: Promise<void>;
  toWorked(): Worked;
}

/** Counts what is done and whether the entries of each key came in order. The time runs from here to the last entry. */
export function createTally(wanted: number): Tally {
  const latest = new Map<string | number, number>();
  const startedAt = performance.now();
  let endedAt = startedAt;
  let done = 0;
  let disordered = 0;
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const tooLong = setTimeout(() => end(), SECONDS_MAX * 1_000);
  return {
    note: (key, number) => {
      if (number <= (latest.get(key) ?? -1)) disordered++;
      latest.set(key, number);
      endedAt = performance.now();
      if (++done < wanted) return;
      clearTimeout(tooLong);
      end();
    },
    isOver: () => done >= wanted || performance.now() - startedAt > SECONDS_MAX * 1_000,
    over,
    toWorked: () => ({ seconds: (endedAt - startedAt) / 1_000, done, disordered }),
  };
}

/** Cuts the load into batches and hands them to `write`, several at once. */
export async function inBatches({ first, count }: QueueLoad, write: (numbers: number[]) => Promise<unknown>): Promise<Enqueued> {
  let next = first;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: ENQUEUERS }, async () => {
      while (next < first + count) {
        const numbers = Array.from({ length: Math.min(BATCH, first + count - next) }, (_, index) => next + index);
        next += numbers.length;
        await write(numbers);
      }
    }),
  );
  return { seconds: (performance.now() - startedAt) / 1_000 };
}
