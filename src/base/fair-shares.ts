export interface ShareLimits {
  /** Slots of one key. */
  eachMax: number;
  /** Slots of all keys together. */
  totalMax: number;
}

/** Slots that several keys share, so that none waits for another, however long the other keeps its slots. */
export interface FairShares {
  /** How many more slots the key may take now. */
  roomOf(key: string): number;
  take(key: string): void;
  giveBack(key: string): void;
  /** The keys that have slots. */
  inUse(): string[];
}

/**
 * A key may have up to `eachMax` slots, but never more than it leaves free of `totalMax`: the dynamic threshold by which network
 * switches share their buffers. One busy key gets half of all, two get a third each, and something is free for the next. The first
 * slot of a key is always granted, so `totalMax` is exceeded by one slot for each further key rather than making it wait.
 *
 * When the limits fall, slots above the new `eachMax` count as `eachMax`: a key that keeps them must not take away the others' shares.
 */
export function createFairShares(limits: () => ShareLimits): FairShares {
  const taken = new Map<string, number>();
  const freeOf = ({ eachMax, totalMax }: ShareLimits) => {
    let free = totalMax;
    for (const slots of taken.values()) free -= Math.min(slots, eachMax);
    return free;
  };
  return {
    roomOf: (key) => {
      const current = limits();
      const own = taken.get(key) ?? 0;
      // Each slot that is taken leaves one less: the two meet half-way.
      const room = Math.min(current.eachMax - own, Math.ceil((freeOf(current) - own) / 2));
      return Math.max(room, own === 0 ? 1 : 0);
    },
    take: (key) => {
      taken.set(key, (taken.get(key) ?? 0) + 1);
    },
    giveBack: (key) => {
      const left = (taken.get(key) ?? 0) - 1;
      if (left > 0) taken.set(key, left);
      else taken.delete(key);
    },
    inUse: () => [...taken.keys()],
  };
}
