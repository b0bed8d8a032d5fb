/** After so many failures in a row nothing more is sent until the pause has passed. */
const FAILURES_MAX = 5;
const FIRST_PAUSE_MS = 5_000;
const PAUSE_MS_MAX = 60_000;
/** How long one probe may keep the others waiting before another may go. */
const PROBE_MS_MAX = 15_000;
/** A probe is mostly over sooner than it may be: a queue that waits for one asks again after this. */
const PROBE_POLL_MS = 1_000;

type State =
  | { kind: "closed"; failures: number }
  | { kind: "open"; untilMs: number; pauseMs: number }
  | { kind: "probing"; sinceMs: number; pauseMs: number };

/**
 * One circuit breaker per key (an account's desk), so that a desk that keeps failing is probed instead of hammered.
 *
 *   closed    everything passes; a success forgets the failures
 *   open      nothing passes until the pause is over
 *   probing   one try is under way; its success closes, its failure opens for twice as long
 *
 * It is this process's own view and starts closed: losing it costs a few tries, never a message.
 */
export interface CircuitBreaker {
  /** 0: go ahead, and say afterwards how it went; else how many milliseconds to wait before asking again. */
  waitMs(key: string, now: Date): number;
  succeeded(key: string): void;
  /** `retryAfterMs` is what the other side asked for, if it did. */
  failed(key: string, now: Date, retryAfterMs?: number): void;
  /** Whether something was refused for this key since it last succeeded. */
  isOpen(key: string): boolean;
  /** All keys of which that is true. */
  openKeys(): string[];
}

export function createCircuitBreaker(firstPauseMs = FIRST_PAUSE_MS): CircuitBreaker {
  const states = new Map<string, State>();
  return {
    waitMs: (key, now) => {
      const state = states.get(key);
      const nowMs = now.getTime();
      if (state === undefined || state.kind === "closed") return 0;
      const freeAtMs = state.kind === "open" ? state.untilMs : state.sinceMs + PROBE_MS_MAX;
      if (nowMs < freeAtMs) return state.kind === "open" ? freeAtMs - nowMs : Math.min(PROBE_POLL_MS, freeAtMs - nowMs);
      states.set(key, { kind: "probing", sinceMs: nowMs, pauseMs: state.pauseMs });
      return 0;
    },
    succeeded: (key) => {
      states.delete(key);
    },
    failed: (key, now, retryAfterMs = 0) => {
      states.set(key, toFailed(states.get(key) ?? { kind: "closed", failures: 0 }, now.getTime(), { firstPauseMs, retryAfterMs }));
    },
    isOpen: (key) => isOpen(states.get(key)),
    openKeys: () => [...states].flatMap(([key, state]) => (isOpen(state) ? [key] : [])),
  };
}

function isOpen(state: State | undefined): boolean {
  return state?.kind === "open" || state?.kind === "probing";
}

function toFailed(state: State, nowMs: number, { firstPauseMs, retryAfterMs }: { firstPauseMs: number; retryAfterMs: number }): State {
  if (state.kind === "closed") {
    const failures = state.failures + 1;
    return failures < FAILURES_MAX ? { kind: "closed", failures } : toOpen(nowMs, firstPauseMs, retryAfterMs);
  }
  // Tries that were under way when it opened say nothing new.
  if (state.kind === "open") return state;
  return toOpen(nowMs, Math.min(PAUSE_MS_MAX, state.pauseMs * 2), retryAfterMs);
}

function toOpen(nowMs: number, pauseMs: number, retryAfterMs: number): State {
  return { kind: "open", untilMs: nowMs + Math.max(pauseMs, retryAfterMs), pauseMs };
}
