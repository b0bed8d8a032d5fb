import { createFairShares } from "../base/fair-shares.ts";
import type { Direction } from "../domain/message.ts";
import type { Share } from "../domain/queue.ts";

/** A slot is one queue that waits for an HTTP answer: memory and a socket, no processor time. More only help where a desk is slow. */
const CALM = { eachMax: 64, totalMax: 512 };
/** Each queue that ends asks for the next, so forwarding does not end while more comes than can be done. */
const PRESSED = { eachMax: 8, totalMax: 32 };
/** Queues to a desk that is away are only postponed again: so many of one account for each poll. */
const AWAY_ROOM_MAX = 8;

/** The queues of one direction that one poll may claim, in all and of each account. */
export interface PollRoom {
  queuesMax: number;
  /** Of each account that is not in `rooms`. */
  roomOfEach: number;
  rooms: { accountId: string; room: number }[];
}

/** The worker's slots, in fair shares for each direction of each account (../base/fair-shares.ts). */
export interface Slots {
  /** Where there is none, the share's next slot that comes back is awaited. */
  hasRoom(share: Share): boolean;
  /** @returns gives the slot back, and says whether it was awaited */
  take(share: Share): () => boolean;
  /** For a poll of all accounts, without the queues to desks that are away. */
  toPoll(direction: Direction, awayDesks: readonly string[]): PollRoom;
  /** For a poll of the queues to desks that are away. */
  toPollAway(awayDesks: readonly string[]): PollRoom;
  /** Whether a poll that brought these queues may have left some that have a slot by now. */
  mayBeLeft(direction: Direction, room: PollRoom, queues: readonly Share[]): boolean;
}

/** `isPressed`: something more urgent is to be done. */
export function createSlots(isPressed: () => boolean): Slots {
  const limits = () => (isPressed() ? PRESSED : CALM);
  const shares = createFairShares(limits);
  /** Shares that were full: queues of theirs may be due and have no slot. */
  const awaited = new Set<string>();

  const roomOf = (key: string): number => {
    const room = Math.max(0, shares.roomOf(key));
    if (room === 0) awaited.add(key);
    return room;
  };

  return {
    hasRoom: (share) => roomOf(toKey(share)) > 0,
    take: (share) => {
      const key = toKey(share);
      shares.take(key);
      roomOf(key);
      return () => {
        shares.giveBack(key);
        return awaited.delete(key);
      };
    },
    toPoll: (direction, awayDesks) => {
      const inUse = shares
        .inUse()
        .map(toShare)
        .filter((share) => share.direction === direction);
      const rooms = new Map(inUse.map((share) => [share.accountId, roomOf(toKey(share))]));
      if (direction === "inbound") for (const accountId of awayDesks) rooms.set(accountId, 0);
      return {
        queuesMax: limits().eachMax,
        roomOfEach: roomOf(ANY_OTHER),
        rooms: [...rooms].map(([accountId, room]) => ({ accountId, room })),
      };
    },
    toPollAway: (awayDesks) => ({
      queuesMax: limits().eachMax,
      roomOfEach: 0,
      rooms: awayDesks.map((accountId) => ({
        accountId,
        room: Math.min(AWAY_ROOM_MAX, roomOf(toKey({ accountId, direction: "inbound" }))),
      })),
    }),
    mayBeLeft: (direction, { queuesMax, roomOfEach, rooms }, queues) => {
      if (queues.length >= queuesMax) return true;
      const unused = new Map(rooms.map(({ accountId, room }) => [accountId, room]));
      for (const { accountId } of queues) unused.set(accountId, (unused.get(accountId) ?? roomOfEach) - 1);
      // Slots that came back while the query was under way were not awaited.
      return queues.some(({ accountId }) => unused.get(accountId) === 0 && roomOf(toKey({ accountId, direction })) > 0);
    },
  };
}

/** A share that has no slot. */
const ANY_OTHER = "";

function toKey({ accountId, direction }: Share): string {
  return `${direction} ${accountId}`;
}

function toShare(key: string): Share {
  const [direction = "", accountId = ""] = key.split(" ");
  return { accountId, direction: direction as Direction };
}
