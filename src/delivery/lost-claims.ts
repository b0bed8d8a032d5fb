import type { QueueKey } from "../domain/queue.ts";

/** Claims in memory that this worker may have without having learnt of them, or that it could not work on. */
export interface LostClaims {
  add(queue: QueueKey): void;
  /** Gives back those that nothing here works on; what cannot be given back is tried again with the next call. */
  release(): Promise<void>;
  /** Whether some may still turn up. */
  areExpected(): boolean;
}

/**
 * A statement can outlive its connection: the server runs it to its end, behind the locks that it waits for, and then there is a claim
 * that was not there before. So a queue is released at once, and once more after this long.
 */
const RELEASED_AGAIN_AFTER_MS = 10_000;

export interface LostClaimsOptions {
  release: (queue: QueueKey) => Promise<void>;
  /** A claim of this queue is worked on, or waits for its slot. */
  isKnown: (queue: QueueKey) => boolean;
  againAfterMs?: number;
}

export function createLostClaims({ release, isKnown, againAfterMs = RELEASED_AGAIN_AFTER_MS }: LostClaimsOptions): LostClaims {
  const lost = new Map<string, { queue: QueueKey; againAtMs: number | null }>();
  return {
    add: ({ conversationId, direction }) => {
      lost.set(`${direction} ${conversationId}`, { queue: { conversationId, direction }, againAtMs: null });
    },
    // Each by itself: a row that another session keeps locked holds up no other queue.
    release: async () => {
      const released = [...lost].map(async ([key, each]) => {
        const { queue, againAtMs } = each;
        if (isKnown(queue) || (againAtMs !== null && performance.now() < againAtMs)) return;
        await release(queue);
        if (againAtMs === null) each.againAtMs = performance.now() + againAfterMs;
        // Unless it was lost once more meanwhile.
        else if (lost.get(key) === each) lost.delete(key);
      });
      await Promise.all(released);
    },
    areExpected: () => lost.size > 0,
  };
}
