import type { Actor } from "./audit.ts";
import type { Content } from "./content.ts";
import type { DeskStatus, StatusReport } from "./conversation.ts";
import type { InboundMessage, InboundState, Way } from "./message.ts";
import type { Answer, Claim, ClaimedEntry, DueLane, LaneKey, Settlement, Share } from "./outbox.ts";

export interface RecordInbound {
  /** Of this call alone: by it, what a call stored is recognised when the call is repeated. */
  messageId: string;
  conversationId: string;
  accountId: string;
  message: InboundMessage;
  /** The WeCom app that it names, for the conversation to remember. */
  addressedApp?: string | null;
  /** Whether the desk is to hear of it: then an outbox entry is made in the same statement. */
  forward: boolean;
  /** How long the callback will be kept open for a reply; agents' replies wait that long for it. 0: not at all. */
  openForMs: number;
  /** When it is not kept open: how long replies that stand there already wait for it to take them along. 0: it cannot. */
  lookForMs: number;
  /** The platform's limits on asynchronous replies after this message; null: it sets none. */
  allowance: { windowMs: number; repliesMax: number } | null;
}

export interface RecordedInbound {
  messageId: string;
  conversationId: string;
  /** False for a redelivery of a message that was stored before. */
  isNew: boolean;
  /** How long ago it was first stored; 0 when it is new. */
  ageMs: number;
  /** The end of this callback's reservation, to be given back to `closeCallback`; null when it made none. */
  openUntil: Date | null;
  /** Replies stand in the lane to the contact, so that a callback that made a reservation may find one at once. */
  hasReplies: boolean;
  /** The lane to the desk waits out a pause after a failure. */
  isDeskAway: boolean;
}

export interface InboundStore {
  /**
   * Stores a message, its conversation and its outbox entry, all or nothing, durably when it returns. A message whose dedupe key is
   * known is not stored again. What is asked for while the database is at work is stored with the next statement, in the order of
   * asking.
   */
  record(input: RecordInbound): Promise<RecordedInbound>;
}

/** Replies to one contact that belong together: of one push, or one that an operator writes. */
export interface NewReplies {
  conversationId: string;
  accountId: string;
  openId: string;
  origin: "agent" | "operator";
  /** In their order; at least one. */
  replies: readonly NewReply[];
  /** The writer with an API key. The audit log names it once the replies are stored; replies of agents at the desk are not in it. */
  by?: Actor;
}

export interface NewReply {
  messageId: string;
  content: Content;
  /** A known key is not stored again. Null: the sender gave no id, so the push as a whole tells (docs/adr/0006). */
  dedupeKey: string | null;
}

export interface StoredReply {
  /** An older message's id when this is a repetition. */
  messageId: string;
  isNew: boolean;
}

export interface OutboundStore {
  /**
   * Stores replies and their outbox entries, all or none, durably when it returns. Calls made while a statement runs are batched into
   * the next one; calls for one conversation run one after the other. A repetition is counted on the message it repeats.
   * @returns in the order of the replies
   */
  enqueue(replies: NewReplies): Promise<StoredReply[]>;
  /** Notes that the sender of these replies has its answer: from now on an equal push is a new one. Repeated, it changes nothing. */
  markAnswered(push: { conversationId: string; messageIds: readonly string[] }): Promise<void>;
  /** Applies what a push says of a conversation. Of two pushes at once the one that is written last wins. */
  report(conversation: { conversationId: string; accountId: string; openId: string }, report: StatusReport): Promise<void>;
}

/** What tells whether somebody may still answer a message. */
export interface DeskProspect {
  messageState: InboundState;
  status: DeskStatus;
  /** The lane to the desk waits out a pause after a failure. */
  isDeskAway: boolean;
}

/** What an open callback finds when it looks for a reply. */
export interface CallbackProspect extends DeskProspect {
  /** A reply that this very callback was given before: to be repeated. */
  answer: Answer | null;
  /** The lane of replies, claimed for this callback, with its first entries; null when nothing can be taken now. */
  claim: Claim | null;
}

export interface OutboxStore {
  /**
   * Takes up to `lanesMax` lanes that are due, each with its first `entriesMax` entries, for `leaseMs`: of each share as many as it has
   * room for, the longest due first. Lanes that another process is taking at the same moment are skipped. A lease that has ended
   * counts as due.
   */
  claimDue(claim: {
    holder: string;
    lanesMax: number;
    entriesMax: number;
    leaseMs: number;
    /** Of each share that is not in `rooms`. */
    roomOfEach: number;
    rooms: readonly (Share & { room: number })[];
  }): Promise<Claim[]>;
  /** Takes one lane if it is due. */
  claimLane(lane: LaneKey, claim: { holder: string; entriesMax: number; leaseMs: number }): Promise<Claim | null>;
  /**
   * For an open callback: the reply it was given before, or else the lane of replies claimed with its first entries, due or not,
   * unless another holder has it.
   */
  claimForCallback(callback: {
    conversationId: string;
    messageId: string;
    holder: string;
    entriesMax: number;
    leaseMs: number;
  }): Promise<CallbackProspect>;
  /**
   * Writes down that bytes of these entries are about to leave for the customer; renews the lease. False when the lane has passed to another
   * holder: then nothing may be sent. For a passive reply, `answers` ties the content to the callback in the same statement.
   */
  begin(
    claim: Claim,
    entries: readonly ClaimedEntry[],
    way: Way,
    leaseMs: number,
    answers?: { inboundId: string; answer: Answer },
  ): Promise<boolean>;
  /**
   * Takes back what `begin` wrote for a callback that ended before its answer could be given: nothing has left. The claim is given
   * back with it, as by `release`. Changes nothing when the lane has passed to another holder, or when it is repeated.
   */
  withdraw(claim: Claim, inboundId: string): Promise<void>;
  /**
   * Ends one try of the claim's first entry. Changes nothing and returns null when the lane has passed to another holder.
   * The lane stays claimed for `keepForMs` while it has further entries, else it becomes due, waiting or parked. Repeated, it changes
   * nothing more and answers again.
   */
  settle(claim: Claim, entry: ClaimedEntry, settlement: Settlement, then: { keepForMs: number | null }): Promise<Settled | null>;
  /** Ends the try of the claim's first entries, which left as one: all of them, or none. Then, and repeated, as `settle`. */
  settleTogether(claim: Claim, entries: readonly ClaimedEntry[], settlement: Settlement): Promise<Settled | null>;
  /**
   * Tells the other processes that this lane has something for them: a worker, or an open callback of theirs. May be lost or come
   * twice; whoever waits also looks again by itself.
   */
  announce(lane: DueLane): Promise<void>;
  /** Gives a claim back untried; its lane is due again after `afterMs`, at once by default, or when the pause ends in which it was taken. */
  release(claim: Claim, afterMs?: number): Promise<void>;
  /** Gives back everything that `holder` has; called at the stop. */
  releaseAll(holder: string): Promise<void>;
  /** Frees every claim. Only for a database that no other process can be using: the embedded one at its start. */
  releaseEverything(): Promise<void>;
  /**
   * A repeated callback was given the answer that an earlier one had been given: the reply is sent now, whoever began it.
   */
  confirmAnswer(inboundId: string): Promise<void>;
  /**
   * Ends a callback's reservation, so that replies which came too late for it go out asynchronously at once. `isWaiting`: there are
   * some.
   */
  closeCallback(callback: { conversationId: string; openUntil: Date }): Promise<{ isWaiting: boolean }>;
}

export interface Settled {
  /** The number under which the claim goes on, if it was kept. */
  claimNumber: string;
  /** The settlement also enqueued a notice to the contact. */
  noticeEnqueued: boolean;
  /** The lane has further entries that are due now. */
  moreDue: boolean;
}
