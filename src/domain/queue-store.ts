import type { Actor } from "./audit.ts";
import type { Content } from "./content.ts";
import type { DeskStatus, StatusReport } from "./conversation.ts";
import type { Direction, InboundMessage, InboundState, Way } from "./message.ts";
import type { Answer, Claim, DueQueue, QueuedMessage, QueueKey, Settlement } from "./queue.ts";

export interface RecordInbound {
  /** Of this call alone: by it, what a call stored is recognised when the call is repeated. */
  messageId: string;
  conversationId: string;
  accountId: string;
  message: InboundMessage;
  /** The WeCom app that it names, for the conversation to remember. */
  addressedApp?: string | null;
  /** Whether the desk is to hear of it: then it gets a place in the inbound queue. */
  forward: boolean;
  /** The worker that has a slot for the queue: if the queue is empty it is claimed for this worker in the same statement. Null: there is none. */
  holder?: string | null;
  /** How long the callback will be kept open for a reply; agents' replies wait that long for it. 0: not at all. */
  openForMs: number;
  /** When it is not kept open: how long replies that wait already are reserved for one query of its own. 0: it makes none. */
  openForQueryMs: number;
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
  /** Replies stand in the queue to the contact, so that a callback that made a reservation may find one at once. */
  hasReplies: boolean;
  /** The queue to the desk waits out a pause after a failure. */
  isDeskAway: boolean;
  /** The inbound queue, claimed with this message as its head; null: it was not empty, or no holder was given. */
  claim: Claim | null;
}

export interface InboundStore {
  /**
   * Stores a message, its conversation and its place in the queue, all or nothing, durably when it returns. A message whose dedupe key is
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
  /** The worker that has a slot for the queue: if the queue is empty and no callback is open it is claimed for this worker. */
  holder?: string | null;
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

export interface StoredReplies {
  /** In the order of the replies. */
  replies: StoredReply[];
  /** The outbound queue, claimed with these replies; null: it was not empty, a callback is open, or no holder was given. */
  claim: Claim | null;
}

export interface OutboundStore {
  /**
   * Stores replies with their places in the queue, all or none, durably when it returns. Calls made while a statement runs are batched
   * into the next one; calls for one conversation run one after the other. A repetition is counted on the message it repeats.
   */
  enqueue(replies: NewReplies): Promise<StoredReplies>;
  /** Notes that the sender of these replies has its answer: from now on an equal push is a new one. Repeated, it changes nothing. */
  markAnswered(push: { conversationId: string; messageIds: readonly string[] }): Promise<void>;
  /** Applies what a push says of a conversation. Of two pushes at once the one that is written last wins. */
  report(conversation: { conversationId: string; accountId: string; openId: string }, report: StatusReport): Promise<void>;
}

/** Tells whether a reply to a message may still come. */
export interface DeskProspect {
  messageState: InboundState;
  status: DeskStatus;
  /** The queue to the desk waits out a pause after a failure. */
  isDeskAway: boolean;
}

/** The result of an open callback's query for a reply. */
export interface CallbackProspect extends DeskProspect {
  /** A reply that this very callback was given before: to be repeated. */
  answer: Answer | null;
  /** The queue of replies, claimed for this callback, with its first messages; null when nothing can be taken now. */
  claim: Claim | null;
}

/** The queues as a worker uses them. */
export interface WorkerQueues {
  /**
   * Claims up to `queuesMax` queues of one direction that are due, each with its first `messagesMax` messages, for `leaseMs`: of each
   * account as many as it has room for, the longest due first. Queues that another process is claiming at the same moment are skipped. A
   * lease that has ended counts as due.
   */
  claimDue(claim: {
    direction: Direction;
    holder: string;
    queuesMax: number;
    messagesMax: number;
    leaseMs: number;
    /** Of each account that is not in `rooms`. */
    roomOfEach: number;
    rooms: readonly { accountId: string; room: number }[];
  }): Promise<Claim[]>;
  /** Claims one queue if it is due. */
  claimQueue(queue: QueueKey, claim: { holder: string; messagesMax: number; leaseMs: number }): Promise<Claim | null>;
  /** The messages that stand behind `place` in a claimed queue. Changes nothing. */
  next(claim: Claim, place: number, messagesMax: number): Promise<QueuedMessage[]>;
  begin: BeginSending;
  settle: Settle;
  /**
   * Tells the other processes that this queue has something for them: a worker, or an open callback of theirs. May be lost or come
   * twice; the receivers poll as well.
   */
  announce(queue: DueQueue): Promise<void>;
  release: Release;
  /**
   * Gives back claims in memory that this worker cannot work on: it never learnt of them, or could not settle. The caller makes sure that
   * it works on none of these queues.
   */
  releaseLost(holder: string, queues: readonly QueueKey[]): Promise<void>;
  /**
   * Says that the holder is alive: its claims in memory stay its own. Answers whose heartbeat is older than `deadAfterMs`, by the database's
   * clock.
   */
  beat(holder: string, deadAfterMs: number): Promise<string[]>;
  /**
   * Gives back all claims of dead holders. Where something was about to leave, the queue is due again only `leaseMs` after the begin mark: a
   * process that stands still may have sent it.
   */
  freeClaims(holders: readonly string[], leaseMs: number): Promise<void>;
  /** Gives back all claims of a holder that stops, and ends its heartbeat. */
  retire(holder: string, leaseMs: number): Promise<void>;
  /** Frees every claim. Only for a database that no other process can be using: the embedded one at its start. */
  freeAllClaims(): Promise<void>;
}

/** The queue of replies as an open callback uses it. */
export interface CallbackQueue {
  /**
   * For an open callback: the reply it was given before, or else the queue of replies claimed with its first messages, due or not,
   * unless another holder has it.
   */
  claimForCallback(callback: {
    conversationId: string;
    messageId: string;
    holder: string;
    messagesMax: number;
    leaseMs: number;
  }): Promise<CallbackProspect>;
  begin: BeginSending;
  settle: Settle;
  release: Release;
  /**
   * Takes back what `begin` wrote for a callback that ended before its answer could be given: nothing has left. The claim is given
   * back with it, as by `release`. Changes nothing when the queue has passed to another holder, or when it is repeated.
   */
  withdraw(claim: Claim, inboundId: string): Promise<void>;
  /** A repeated callback was given the answer that an earlier one had been given: the reply is sent now, no matter which process began it. */
  confirmAnswer(inboundId: string): Promise<void>;
  /**
   * Ends a callback's reservation, so that replies which came too late for it go out asynchronously at once. `isWaiting`: there are
   * some.
   */
  closeCallback(callback: { conversationId: string; openUntil: Date }): Promise<{ isWaiting: boolean }>;
}

export type QueueStore = WorkerQueues & CallbackQueue;

/**
 * Writes down that bytes of these messages, from the head, are about to leave for the customer; renews the lease. False when the queue has
 * passed to another holder: then nothing may be sent. For a passive reply, `answers` ties the content to the callback in the same
 * statement.
 */
export type BeginSending = (
  claim: Claim,
  messages: readonly QueuedMessage[],
  way: Way,
  leaseMs: number,
  answers?: { inboundId: string; answer: Answer },
) => Promise<boolean>;

/**
 * Ends one try of the claim's first messages, which left as one: all of them, or none. Changes nothing and returns null when the queue has
 * passed to another holder. With `keepForMs` the claim goes on while the queue has further messages; else the queue becomes due, held or
 * empty. Repeated, it changes nothing more and answers again.
 */
export type Settle = (
  claim: Claim,
  messages: readonly QueuedMessage[],
  settlement: Settlement,
  then: { keepForMs: number | null },
) => Promise<Settled | null>;

/** Gives a claim back untried; its queue is due again after `afterMs`, at once by default, or when the pause ends in which it was claimed. */
export type Release = (claim: Claim, afterMs?: number) => Promise<void>;

export interface Settled {
  /** The settlement also enqueued a notice to the contact. */
  noticeEnqueued: boolean;
  /** Messages stand behind the settled ones; a claim that was to be kept has been kept. */
  hasMore: boolean;
  /** The queue is not claimed any more and due now. */
  isDue: boolean;
  /** The reservation of `callbackOpenUntil` has ended. */
  isCallbackClosed: boolean;
}
