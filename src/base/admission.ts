import type { WaitingLine } from "./waiting-line.ts";

export interface AdmissionOptions {
  /** The queues that one request passes in turn until it is stored. */
  lines: readonly WaitingLine[];
  /** A request with a longer expected wait is refused, unless few are open (`ALWAYS`). */
  waitMsMax: number;
  /** Requests that wait to be stored. */
  waitingMax: number;
  /** Requests that have no answer yet, stored or not. */
  openMax: number;
  /** How late the process comes to what it has to do. */
  loopDelayMs: () => number;
}

/** Why a request is refused before anybody has looked into it. */
export interface Overload {
  why: "too many are open" | "too many wait to be stored" | "it would not be stored in time";
  open: number;
  waiting: number;
  expectedMs: number;
}

/** Refuses early what would be answered too late: the sender asks again, and those who are let in are answered in time. */
export interface Admission {
  /** Null: let it in. */
  refusal(): Overload | null;
  /** To be called when it has its answer. */
  enter(): () => void;
  open(): number;
}

/** With fewer open requests, one is let in despite a long expected wait: its result shows when storing works again. */
const ALWAYS = 20;

/** A request comes through the event loop for its headers, its body, the statement that stores it and its answer. */
const LOOP_TURNS = 4;

export function createAdmission({ lines, waitMsMax, waitingMax, openMax, loopDelayMs }: AdmissionOptions): Admission {
  let open = 0;

  const toReason = (waiting: number, expectedMs: number): Overload["why"] | null => {
    if (open >= openMax) return "too many are open";
    if (waiting >= waitingMax) return "too many wait to be stored";
    return Math.max(open, waiting) >= ALWAYS && expectedMs > waitMsMax ? "it would not be stored in time" : null;
  };

  return {
    refusal: () => {
      const waiting = sum(lines.map((line) => line.size()));
      const expectedMs = LOOP_TURNS * loopDelayMs() + sum(lines.map((line) => line.expectedMs()));
      const why = toReason(waiting, expectedMs);
      return why === null ? null : { why, open, waiting, expectedMs: Math.round(expectedMs) };
    },
    enter: () => {
      open++;
      return () => {
        open--;
      };
    },
    open: () => open,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
