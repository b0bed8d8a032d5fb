import type { Account, AccountSecrets, AccountSettings, AccountWarning, SecretName } from "./account.ts";
import type { Content } from "./content.ts";
import type { Contact, Conversation, ConversationOverview, DeskStatus, StatusReport } from "./conversation.ts";
import type { Attempt, InboundMessage, InboundState, Message, MessageState, Way } from "./message.ts";
import type { Answer, Claim, ClaimedEntry, LaneKey, Settlement } from "./outbox.ts";

/** Everything that outlives the process. One Postgres behind it, embedded or a server, shared by any number of processes. */
export interface Store {
  inbound: InboundStore;
  outbound: OutboundStore;
  outbox: OutboxStore;
  replays: ReplayStore;
  retention: RetentionStore;
  accounts: AccountStore;
  accessTokens: AccessTokenStore;
  conversations: ConversationStore;
  apiKeys: ApiKeyStore;
  pushRejects: PushRejectStore;
  health: HealthStore;
}

export interface RecordInbound {
  messageId: string;
  conversationId: string;
  accountId: string;
  message: InboundMessage;
  /** Whether the desk is to hear of it: then an outbox entry is made in the same statement. */
  forward: boolean;
  /** How long the callback will be kept open for a reply; agents' replies wait that long for it. 0: not at all. */
  openForMs: number;
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
}

export interface InboundStore {
  /**
   * Stores messages, their conversations and their outbox entries, all or nothing, durably when it returns. A message whose
   * dedupe key is known is not stored again. Answers in the order of the input. One statement for any number of messages.
   */
  record(inputs: readonly RecordInbound[]): Promise<RecordedInbound[]>;
}

export interface NewOutbound {
  messageId: string;
  conversationId: string;
  accountId: string;
  openId: string;
  origin: "agent" | "operator";
  content: Content;
  /** Known keys are not stored again; null: look for the same content within `repeatWindowMs` instead. */
  dedupeKey: string | null;
  repeatWindowMs: number;
}

export interface OutboundStore {
  /**
   * Stores one message to a contact and its outbox entry, durably when it returns.
   * @returns the id of the stored message, which is an older one when this is a repetition
   */
  enqueue(message: NewOutbound): Promise<{ messageId: string; isNew: boolean }>;
  /** Applies what a push says of a conversation, unless something newer is known. */
  report(conversation: { conversationId: string; accountId: string; openId: string }, report: StatusReport, at: Date): Promise<void>;
}

/** What an open callback finds when it looks for a reply. */
export interface CallbackProspect {
  /** A reply that this very callback was given before: to be repeated. */
  answer: Answer | null;
  /** The lane of replies, claimed for this callback, with its first entry; null when nothing can be taken now. */
  claim: Claim | null;
  messageState: InboundState;
  status: DeskStatus;
  /** The lane to the desk waits out a pause after a failure. */
  isDeskAway: boolean;
}

export interface OutboxStore {
  /**
   * Takes up to `lanesMax` lanes that are due, each with its first `entriesMax` entries, for `leaseMs`. Lanes that another
   * process is taking at the same moment are skipped. A lease that has ended counts as due.
   */
  claimDue(claim: { holder: string; lanesMax: number; entriesMax: number; leaseMs: number }): Promise<Claim[]>;
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
   * Takes back what `begin` wrote for a callback that ended before its answer could be given: nothing has left. The lane is due at
   * once, and the reservation of the callback, if given, ends.
   */
  withdraw(claim: Claim, inboundId: string, openUntil: Date | null): Promise<void>;
  /**
   * Ends one try of the claim's first entry. Changes nothing and returns null when the lane has passed to another holder.
   * The lane stays claimed for `leaseMs` while the claim has further entries, else it becomes due, waiting or parked.
   */
  settle(claim: Claim, entry: ClaimedEntry, settlement: Settlement, then: { keepForMs: number | null }): Promise<Settled | null>;
  /**
   * Tells the other processes that this lane has something for them: a worker, or an open callback of theirs. May be lost or come
   * twice; whoever waits also looks again by itself.
   */
  announce(lane: LaneKey): Promise<void>;
  /** Gives a claim back untried; its lane is due again after `afterMs`, at once by default. */
  release(claim: Claim, afterMs?: number): Promise<void>;
  /** Gives back everything that `holder` has; called at the stop. */
  releaseAll(holder: string): Promise<void>;
  /** Frees every claim. Only for a database that no other process can be using: the embedded one at its start. */
  releaseEverything(): Promise<void>;
  /**
   * A repeated callback was given the answer that an earlier one had been given: the reply is sent now, whoever began it.
   */
  confirmAnswer(inboundId: string): Promise<void>;
  /** Ends a callback's reservation, so that replies which came too late for it go out asynchronously at once. */
  closeCallback(callback: { conversationId: string; openUntil: Date }): Promise<void>;
}

export interface Settled {
  /** The settlement also enqueued a notice to the contact. */
  noticeEnqueued: boolean;
  /** The lane has further entries that are due now. */
  moreDue: boolean;
}

export interface NewAccount {
  id: string;
  name: string;
  settings: AccountSettings;
  secrets: AccountSecrets;
}

export interface AccountStore {
  /** @throws ConfigError ACCOUNT_EXISTS */
  create(account: NewAccount): Promise<Account>;
  list(): Promise<Account[]>;
  get(id: string): Promise<Account | null>;
  /** Only the given parts change; given secrets replace the current ones. Null when there is no such account. */
  update(
    id: string,
    change: { name?: string; enabled?: boolean; settings?: AccountSettings; secrets?: AccountSecrets },
  ): Promise<Account | null>;
  /** Notes what keeps the account from working, or with null that nothing does. A warning of the same code keeps its time. */
  setWarning(id: string, warning: AccountWarning | null): Promise<void>;
  /** Deletes the account with its conversations and messages. */
  remove(id: string): Promise<boolean>;
  /** The account with its current secrets in clear. */
  getWithSecrets(id: string): Promise<{ account: Account; secrets: AccountSecrets } | null>;
  /** Null when there is no such account. */
  getVersion(id: string): Promise<number | null>;
}

export interface StoredAccessToken {
  value: string;
  expiresAt: Date;
}

export interface AccessTokenStore {
  get(accountId: string): Promise<StoredAccessToken | null>;
  /** Takes the lease to fetch a new token; false when another process has it. */
  lease(accountId: string, leaseMs: number): Promise<boolean>;
  /** Stores a token and ends the lease. */
  put(accountId: string, token: StoredAccessToken): Promise<void>;
  /** Ends the lease without a token. */
  unlease(accountId: string): Promise<void>;
}

export interface ConversationFilter {
  accountId?: string;
  status?: DeskStatus;
  agentName?: string;
  /** Part of openId, nickname, number, email or agent name. */
  q?: string;
  updatedSince?: Date;
}

export interface Page<T> {
  items: T[];
  /** Opaque; null at the end. */
  nextCursor: string | null;
}

export interface ConversationStore {
  list(filter: ConversationFilter, page: { limit: number; cursor?: string }): Promise<Page<ConversationOverview> | "bad-cursor">;
  get(id: string): Promise<ConversationOverview | null>;
  updateContact(id: string, contact: Partial<Contact>): Promise<ConversationOverview | null>;
  /** Newest first. */
  messages(conversationId: string, page: { limit: number; cursor?: string }): Promise<Page<Message> | "bad-cursor">;
  message(id: string): Promise<{ message: Message; attempts: Attempt[] } | null>;
}

export type Role = "admin" | "operator" | "viewer";

export interface NewApiKey {
  id: string;
  name: string;
  role: Role;
  /** SHA-256 of the key, hex. */
  hash: string;
}

export interface ApiKeyStore {
  /** Null when no key that is still valid has this SHA-256. */
  findRole(hash: string): Promise<Role | null>;
  countAdmins(): Promise<number>;
  /** False when the id or the hash is taken. */
  create(key: NewApiKey): Promise<boolean>;
  /** Makes the key with this id the given one; an earlier one with the same id ends. */
  replace(key: NewApiKey): Promise<void>;
}

export interface ReplayFilter {
  messageId?: string;
  accountId?: string;
  /** Of those that can be replayed; all of them when absent. */
  states?: readonly MessageState[];
  since?: Date;
  until?: Date;
  limit: number;
}

export interface ReplayStore {
  /**
   * Enqueues again what is dead, failed, uncertain or held, behind whatever waits in its lane. Pressed twice, the second press finds
   * nothing left to do.
   * @returns the messages that now wait to leave, by conversation
   */
  replay(filter: ReplayFilter): Promise<{ conversationId: string; messageIds: string[] }[]>;
}

export interface RetentionStore {
  /**
   * Removes up to `limit` of the oldest messages if they were stored before this moment and nothing of them waits to leave.
   * @returns how many; 0 also while another process is at it
   */
  removeOld(before: Date, limit: number): Promise<number>;
}

export interface PushRejectStore {
  put(reject: { accountId: string; reason: string; contentType: string | undefined; body: string }): Promise<void>;
}

export interface HealthStore {
  /** Resolves when the database answers and every migration of this build is applied; else rejects. */
  check(): Promise<void>;
}

export type { Conversation, SecretName };
