import type { DatabaseFault, ToDatabaseFault } from "./database-fault.ts";

/** Why the last message could not be stored. A proof may pass where real messages fail: on a full tablespace, by a trigger. */
export interface LastFault {
  /** The same function, whose results are looked at. */
  watched<Input, Output>(store: (input: Input) => Promise<Output>): (input: Input) => Promise<Output>;
  /** Null when a message was stored since, or when the fault is older than `REMEMBERED_MS`. */
  current(): DatabaseFault | null;
  /** To be called when the fault is repaired. */
  forget(): void;
}

/** Longer than the pause of most probes. Without a bound, a process that gets no traffic because of it would never be asked again. */
const REMEMBERED_MS = 10_000;

export function createLastFault(toFault: ToDatabaseFault, nowMs: () => number = () => performance.now()): LastFault {
  let last: { fault: DatabaseFault; atMs: number } | null = null;
  return {
    watched: (store) => async (input) => {
      try {
        const output = await store(input);
        last = null;
        return output;
      } catch (error) {
        const fault = toFault(error);
        // One locked conversation says nothing of the others.
        if (fault?.concerns === "database") last = { fault, atMs: nowMs() };
        throw error;
      }
    },
    current: () => (last !== null && nowMs() - last.atMs < REMEMBERED_MS ? last.fault : null),
    forget: () => {
      last = null;
    },
  };
}
