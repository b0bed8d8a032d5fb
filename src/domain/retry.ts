const FIRST_PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 10 * 60_000;

/** Promised work that has failed for this long is dead: visible, replayable, no longer tried by itself. */
export const GIVE_UP_AFTER_MS = 24 * 60 * 60_000;

/**
 * How long to wait after the `failures`-th failure (1 for the first): doubling from one second to ten minutes, the upper half
 * random so that many queues do not come back in step. `random` is in [0, 1).
 */
export function retryPauseMs(failures: number, random: number): number {
  const full = Math.min(PAUSE_MS_MAX, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20));
  return Math.round(full / 2 + (full / 2) * random);
}
