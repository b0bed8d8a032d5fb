import { createFairShares } from "../base/fair-shares.ts";
import type { Direction } from "../domain/message.ts";
import type { Share } from "../domain/outbox.ts";

/** A slot is one lane that waits for an HTTP answer: memory and a socket, no processor time. More only help where a desk is slow. */
const CALM = { eachMax: 64, totalMax: 512 };
/** Each lane that ends looks for the next, so forwarding does not end while more comes than can be done. */
const PRESSED = { eachMax: 8, totalMax: 32 };
/** Lanes to a desk that is away are only postponed again: so many of one account for each poll. */
const AWAY_ROOM_MAX = 8;

/** The lanes that one poll may claim, in all and of each share. */
export interface PollRoom {
  lanesMax: number;
  /** Of each share that is not in `rooms`. */
  roomOfEach: number;
  rooms: (Share & { room: number })[];
}

/** The worker's slots, in fair shares for each direction of each account (../domain/fair-shares.ts). */
export interface Slots {
  /** Where there is none, the share's next slot that comes back is awaited. */
  hasRoom(share: Share): boolean;
  /** @returns gives the slot back, and says whether it was awaited */
  take(share: Share): () => boolean;
  /** For a poll of all shares but those to the desks that are away. */
  toPoll(awayDesks: readonly string[]): PollRoom;
  /** For a poll of the desks that are away. */
  toPollAway(awayDesks: readonly string[]): PollRoom;
  /** Whether a poll that brought these lanes may have left some that have a slot by now. */
  mayBeLeft(room: PollRoom, lanes: readonly Share[]): boolean;
}

/** `isPressed`: something more urgent is to be done. */
export function createSlots(isPressed: () => boolean): Slots {
  const limits = () => (isPressed() ? PRESSED : CALM);
  const shares = createFairShares(limits);
  /** Shares that were full: lanes of theirs may be due and have no slot. */
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
    toPoll: (awayDesks) => {
      const rooms = new Map(shares.inUse().map((key) => [key, roomOf(key)]));
      for (const accountId of awayDesks) rooms.set(toKey(toDesk(accountId)), 0);
      return { lanesMax: limits().eachMax, roomOfEach: roomOf(ANY_OTHER), rooms: [...rooms].map(toShareRoom) };
    },
    toPollAway: (awayDesks) => ({
      lanesMax: limits().eachMax,
      roomOfEach: 0,
      rooms: awayDesks.map(toDesk).map((share) => ({ ...share, room: Math.min(AWAY_ROOM_MAX, roomOf(toKey(share))) })),
    }),
    mayBeLeft: ({ lanesMax, roomOfEach, rooms }, lanes) => {
      if (lanes.length >= lanesMax) return true;
      const unused = new Map(rooms.map((share) => [toKey(share), share.room]));
      for (const key of lanes.map(toKey)) unused.set(key, (unused.get(key) ?? roomOfEach) - 1);
      // Slots that came back while the query was under way were not awaited.
      return lanes.map(toKey).some((key) => unused.get(key) === 0 && roomOf(key) > 0);
    },
  };
}

/** A share that has no slot. */
const ANY_OTHER = "";

function toDesk(accountId: string): Share {
  return { accountId, direction: "inbound" };
}

function toKey({ accountId, direction }: Share): string {
  return `${direction} ${accountId}`;
}

function toShareRoom([key, room]: [string, number]): Share & { room: number } {
  const [direction = "", accountId = ""] = key.split(" ");
  return { accountId, direction: direction as Direction, room };
}
