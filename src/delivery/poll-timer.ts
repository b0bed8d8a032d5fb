import type { Log } from "../base/log.ts";

/** Runs polls one after the other, each at the moment that was last asked for, and at least every `pollMs` once it has begun. */
export interface PollTimer {
  /** Never later than planned already: failures that keep coming would put a poll off for ever. */
  wakeIn(ms: number): void;
  /** Begins no poll any more, and waits for one that is under way. */
  stop(): Promise<void>;
}

export function createPollTimer(poll: () => Promise<void>, { pollMs, log }: { pollMs: number; log: Log }): PollTimer {
  let timer: NodeJS.Timeout | undefined;
  let wakeAtMs = Number.POSITIVE_INFINITY;
  let isStopped = false;
  let polling = Promise.resolve();

  const wakeIn = (ms: number) => {
    const atMs = performance.now() + ms;
    if (isStopped || atMs >= wakeAtMs) return;
    wakeAtMs = atMs;
    clearTimeout(timer);
    timer = setTimeout(() => {
      wakeAtMs = Number.POSITIVE_INFINITY;
      polling = polling
        .then(poll)
        .catch((error: unknown) => log.warn({ error }, "delivery.poll-failed"))
        .finally(() => wakeIn(pollMs));
    }, ms);
  };

  return {
    wakeIn,
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await polling;
    },
  };
}
