import type { Reserve } from "../domain/delivery.ts";
import type { Claim, QueueKey, Share } from "../domain/queue.ts";
import type { Backlog } from "./backlog.ts";
import type { Slots } from "./slots.ts";

export interface ReserveDeps {
  holder: string;
  /** Whether this process may make claims in memory. */
  isReady: () => boolean;
  slots: Pick<Slots, "hasRoom">;
  backlog: Backlog;
  /** @returns gives the slot back */
  takeSlot: (share: Share) => () => void;
  /** A stop waits until it is ended. @returns ends it */
  keepOpen: () => () => void;
  workInSlot: (claim: Claim, giveBack: () => void) => void;
  /** The claim is released by name. */
  lose: (queue: QueueKey) => void;
}

/** Reserves a slot for a claim in memory; where none is free, a place in the backlog, which costs less than a claim by a poll. */
export function createReserve({ holder, isReady, slots, backlog, takeSlot, keepOpen, workInSlot, lose }: ReserveDeps): Reserve {
  const inBacklog: Reserve = (share) => {
    const exit = backlog.enter(share);
    if (exit === null) return null;
    const end = keepOpen();
    const leave = () => {
      exit();
      end();
    };
    const begin = (claim: Claim) => {
      leave();
      workInSlot(claim, takeSlot(share));
    };
    return {
      ...{ holder, giveBack: leave },
      lose: (queue) => {
        lose(queue);
        leave();
      },
      work: (claim) => {
        if (slots.hasRoom(share)) begin(claim);
        else backlog.push(share, claim, () => begin(claim));
      },
    };
  };

  return (share) => {
    if (!isReady()) return null;
    if (!slots.hasRoom(share)) return inBacklog(share);
    const giveBack = takeSlot(share);
    return {
      ...{ holder, giveBack },
      work: (claim) => workInSlot(claim, giveBack),
      lose: (queue) => {
        lose(queue);
        giveBack();
      },
    };
  };
}
