import type { Claim, DueQueue, QueueKey, Share } from "./queue.ts";

/** Asks for a queue to be worked on now. Answers at once and promises nothing: what is promised is in the store. */
export type Deliver = (queue: DueQueue) => void;

/**
 * Reserves a slot for a queue whose message is about to be stored, so that the statement that stores it can claim the queue too. Null: this
 * process has no worker, or no slot for that share.
 */
export type Reserve = (share: Share) => ReservedSlot | null;

/** Exactly one of the methods is called, once. */
export interface ReservedSlot {
  /** The name under which the queue is claimed. */
  holder: string;
  /** The queue was claimed: works on it in this slot. */
  work(claim: Claim): void;
  /** The queue was not claimed. */
  giveBack(): void;
  /** The statement failed, so the queue may have been claimed or not: it is released. */
  lose(queue: QueueKey): void;
}
