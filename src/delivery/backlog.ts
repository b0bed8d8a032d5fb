import type { QueueKey, Share } from "../domain/queue.ts";

/** Claims in memory that wait for a slot of their share. */
export interface Backlog {
  /** Makes room for one; null when the share has too many. @returns leaves it */
  enter(share: Share): (() => void) | null;
  /** The claim of this queue waits for a slot; `begin` takes it. */
  push(share: Share, queue: QueueKey, begin: () => void): void;
  /** Begins the one that has waited longest; false when none waits. */
  begin(share: Share): boolean;
  /** Whether the claim of this queue waits here. */
  holds(queue: QueueKey): boolean;
}

/** As many as a share has slots, twice: more would wait here while another process has a slot for them. */
const WAITING_MAX = 128;

export function createBacklog(): Backlog {
  const inside = new Map<string, number>();
  const waiting = new Map<string, { queue: QueueKey; begin: () => void }[]>();
  const held = new Set<string>();
  const add = (key: string, by: number) => {
    const size = (inside.get(key) ?? 0) + by;
    if (size > 0) inside.set(key, size);
    else inside.delete(key);
  };
  return {
    enter: (share) => {
      const key = toKey(share);
      if ((inside.get(key) ?? 0) >= WAITING_MAX) return null;
      add(key, 1);
      return () => add(key, -1);
    },
    push: (share, queue, begin) => {
      const key = toKey(share);
      const others = waiting.get(key);
      if (others === undefined) waiting.set(key, [{ queue, begin }]);
      else others.push({ queue, begin });
      held.add(toName(queue));
    },
    begin: (share) => {
      const key = toKey(share);
      const others = waiting.get(key);
      const first = others?.shift();
      if (others?.length === 0) waiting.delete(key);
      if (first === undefined) return false;
      held.delete(toName(first.queue));
      first.begin();
      return true;
    },
    holds: (queue) => held.has(toName(queue)),
  };
}

function toName({ conversationId, direction }: QueueKey): string {
  return `${direction} ${conversationId}`;
}

function toKey({ accountId, direction }: Share): string {
  return `${direction} ${accountId}`;
}
