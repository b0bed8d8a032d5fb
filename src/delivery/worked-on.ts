import type { Claim, QueueKey } from "../domain/queue.ts";

/** The claims that this worker works on. */
export interface WorkedOn {
  /** False when this very claim is worked on already. */
  add(claim: Claim): boolean;
  remove(claim: Claim): void;
  /** The worker of a queue sees what is added to it. */
  has(queue: QueueKey): boolean;
}

/**
 * A queue can have two claims here for a moment: once a settle has emptied it, the next message is stored and claimed before the answer to
 * that settle is read. So claims are told apart by their numbers, and not by their queues.
 */
export function createWorkedOn(): WorkedOn {
  const numbers = new Map<string, Set<string>>();
  return {
    add: (claim) => {
      const name = toName(claim);
      const own = numbers.get(name) ?? new Set();
      if (own.has(claim.claimNumber)) return false;
      numbers.set(name, own.add(claim.claimNumber));
      return true;
    },
    remove: (claim) => {
      const name = toName(claim);
      const own = numbers.get(name);
      own?.delete(claim.claimNumber);
      if (own?.size === 0) numbers.delete(name);
    },
    has: (queue) => numbers.has(toName(queue)),
  };
}

function toName({ conversationId, direction }: QueueKey): string {
  return `${direction} ${conversationId}`;
}
