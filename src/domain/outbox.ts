/*
 * Promised work. A *lane* is one direction of one conversation; its *entries* leave strictly in order. A lane is
 *
 *   parked   nothing is due: empty, or its first entry is held until the contact writes again
 *   waiting  due at a known moment: now, after a retry pause, or when the open callbacks have ended
 *   claimed  held by one worker or one open callback until the lease ends
 *
 * A claim is one holder and one claim number; both are checked by every statement that acts on it (the fence), so a worker
 * that was overtaken changes nothing. Each settle moves the number on, so one that is repeated changes nothing either. Settled entries are deleted: what happened to the message is written on the message.
 */

import type { Content } from "./content.ts";
import type { Conversation, StatusReport } from "./conversation.ts";
import type { Attempt, Direction, Message, Way } from "./message.ts";
import type { Outcome } from "./outcome.ts";

export interface LaneKey {
  conversationId: string;
  /** inbound: the lane to the desk; outbound: the lane to the contact. */
  direction: Direction;
}

/** One direction of one account. A worker's slots are shared out between these (fair-shares.ts). */
export interface Share {
  accountId: string;
  direction: Direction;
}

/** A lane that is to be worked on, with the share whose slot it takes. */
export type DueLane = LaneKey & Share;

export interface Claim extends LaneKey {
  holder: string;
  /** Decimal digits of a 64-bit counter. */
  claimNumber: string;
  /** The end of the pause in which an open callback took it: given back untried, the lane waits that out. Null: it was not paused. */
  pausedUntil: Date | null;
  entries: ClaimedEntry[];
  conversation: Conversation;
  /** By the database's clock, like every moment in the conversation and its entries. */
  claimedAt: Date;
}

export interface ClaimedEntry {
  id: string;
  message: Message;
  failures: number;
  /** UTF-16 units of a long text that are already out. */
  progress: number;
  /** How long it had been waiting for its end when the lane was claimed. */
  ageMs: number;
  /** Set when an earlier holder began to send it and never said how that ended. */
  begun: { at: Date; way: Way } | null;
}

/** Nothing was tried: the lane waits untouched. */
export interface Postponement {
  postponedForMs: number;
}

/** A notice goes out if the report `changes` something, `always` with a report that is news, or once in an `outage`. */
export type NoticeWhen = "changes" | "always" | "outage";

/** What a settle writes. `next` says what becomes of the entry. */
export interface Settlement {
  outcome: Outcome;
  next: /** The message has left for good or never will: the entry is deleted. */
    | { kind: "finished"; state: Message["state"] }
    /** A part is out; the entry goes on from `progress`. */
    | { kind: "progressed"; progress: number }
    /** Tried again after a pause; the whole lane waits. */
    | { kind: "again"; afterMs: number }
    /** Waits for the contact's next message. */
    | { kind: "held" };
  way: Way | null;
  /** The reservation of the callback that was answered with this, which ends now. */
  callbackOpenUntil?: Date | null;
  attempt: Pick<Attempt, "startedAt" | "durationMs">;
  /**
   * The desk's report, with the reading of this process's monotonic clock (`performance.now()`) when it was asked. The store turns that
   * into a moment of the database's clock, so clocks of different processes are never compared.
   */
  report?: { status: StatusReport; askedAtMs: number };
  /** A sentence for the contact, enqueued in the same statement: the desk's own, or ours that the desk is away. */
  notice?: { messageId: string; when: NoticeWhen; content: Content };
}

/** A passive reply that was begun: the same content is given to every repetition of the callback. */
export interface Answer {
  /** The messages that are out with it, in their order; more than one when held texts were joined. */
  messageIds: string[];
  content: Content;
  createdAt: Date;
  /** How far the message is out with this answer, when that is not all of it; then it is the only one. */
  progress?: number;
}
