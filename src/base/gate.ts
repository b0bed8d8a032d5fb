import { createFairShares, type ShareLimits } from "./fair-shares.ts";

/** Lets so many through at a time, in fair shares: the key of one account never waits for that of another. */
export interface Gate {
  /**
   * Callers with the same key wait in order.
   * @returns the function that gives the slot back, to be called once; null when `signal` ended the wait
   */
  enter(key: string, signal: AbortSignal): Promise<(() => void) | null>;
}

interface Waiting {
  key: string;
  enter(): void;
}

export function createGate(limits: ShareLimits): Gate {
  const shares = createFairShares(() => limits);
  const waiting = new Set<Waiting>();
  /** A slot that is given back may make room for any key. */
  const admit = () => {
    for (const { key, enter } of waiting) if (shares.roomOf(key) > 0) enter();
  };
  const leave = (key: string) => {
    shares.giveBack(key);
    admit();
  };
  return {
    enter: (key, signal) =>
      new Promise((resolve) => {
        const end = (leaves: (() => void) | null) => {
          waiting.delete(one);
          signal.removeEventListener("abort", giveUp);
          resolve(leaves);
        };
        const giveUp = () => end(null);
        const one: Waiting = {
          key,
          enter: () => {
            shares.take(key);
            end(() => leave(key));
          },
        };
        if (signal.aborted) return giveUp();
        waiting.add(one);
        signal.addEventListener("abort", giveUp, { once: true });
        admit();
      }),
  };
}
