/*
 * Promised work. A *queue* is one direction of one conversation; its messages leave strictly in the order of their *places* (1, 2, 3 …).
 * The *cursor* is the place up to which all have left for good. Only the *head*, the message behind the cursor, has a state; a queue is
 *
 *   empty    nothing stands behind the cursor
 *   due      at a known moment: now, after a retry pause, or when the open callbacks have ended
 *   claimed  by one worker or one open callback, until the lease ends; a claim in memory lasts as long as its process sends heartbeats
 *   held     outbound: waits for the contact's next message
 *
 * A claim is one holder and one claim number. Every statement that acts on it checks both and the cursor (the fence), so a worker that
 * was overtaken changes nothing, and a settle that is repeated changes nothing more.
 */

import type { Content } from "./content.ts";
import type { Conversation, DeskStatus, StatusReport } from "./conversation.ts";
import type { Attempt, Direction, Message, Way } from "./message.ts";
import type { Outcome } from "./outcome.ts";

export interface QueueKey {
  conversationId: string;
  /** inbound: the queue to the desk; outbound: the queue to the contact. */
  direction: Direction;
}

/** One direction of one account. A worker's slots are shared out between these (fair-shares.ts). */
export interface Share {
  accountId: string;
  direction: Direction;
}

/** A queue that is to be worked on, with the share whose slot it takes. */
export type DueQueue = QueueKey & Share;

export interface Claim extends QueueKey {
  holder: string;
  /** Decimal digits of a 64-bit counter. */
  claimNumber: string;
  /** The end of the pause in which an open callback took it: given back untried, the queue waits that out. Null: it was not paused. */
  pausedUntil: Date | null;
  /** The first messages, from the head. More may stand behind them. */
  messages: QueuedMessage[];
  conversation: Conversation;
  /** By the database's clock, like every moment in the conversation and its messages. */
  claimedAt: Date;
  /** The open callback of the head, in this process. */
  callback?: { openUntil: Date; endsWith: (status: DeskStatus) => boolean };
}

export interface QueuedMessage {
  place: number;
  message: Message;
  failures: number;
  /** UTF-16 units of a long text that are already out. */
  progress: number;
  /** How long it had been waiting for its end when the queue was claimed. */
  ageMs: number;
  /** Set when an earlier holder began to send it and never said how that ended. */
  begun: { at: Date; way: Way } | null;
}

/** Nothing was tried: the queue waits untouched. */
export interface Postponement {
  postponedForMs: number;
}

/** A notice goes out if the report `changes` something, `always` with a report that is news, or once in an `outage`. */
export type NoticeWhen = "changes" | "always" | "outage";

/** The content of a settle. `next` says what becomes of the message. */
export interface Settlement {
  outcome: Outcome;
  next: /** The message has left for good or never will: the cursor moves past it. */
    | { kind: "finished"; state: Message["state"] }
    /** A part is out; the message goes on from `progress`. */
    | { kind: "progressed"; progress: number }
    /** Tried again after a pause; the whole queue waits. */
    | { kind: "again"; afterMs: number }
    /** Waits for the contact's next message. */
    | { kind: "held" };
  way: Way | null;
  /**
   * The reservation that ends with this: of the callback that was answered with it, or of one that has nothing to wait for once its message
   * is with the desk. The latter stays open when a reply waits for it.
   */
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
