import type { Account, AccountCredentials, AccountSecrets, AccountSettings, AccountWarning, SecretName } from "./account.ts";
import type { ApiKey, NewApiKey, Scope } from "./api-key.ts";
import type { Actor, AuditAction, AuditEntry } from "./audit.ts";
import type { Contact, ConversationOverview, DeskStatus } from "./conversation.ts";
import type { Attempt, Message, MessageState } from "./message.ts";
import type { InboundStore, OutboundStore, QueueStore } from "./queue-store.ts";

export type * from "./queue-store.ts";

/** Everything that outlives the process. One Postgres behind it, embedded or a server, shared by any number of processes. */
export interface Store {
  inbound: InboundStore;
  outbound: OutboundStore;
  queues: QueueStore;
  replays: ReplayStore;
  retention: RetentionStore;
  accounts: AccountStore;
  accessTokens: AccessTokenStore;
  conversations: ConversationStore;
  apiKeys: ApiKeyStore;
  audit: AuditStore;
  pushRejects: PushRejectStore;
  health: HealthStore;
}

export interface AccountChange {
  name?: string;
  enabled?: boolean;
  settings?: AccountSettings;
  secrets?: AccountSecrets;
}

export interface NewAccount {
  id: string;
  name: string;
  settings: AccountSettings;
  secrets: AccountSecrets;
}

export interface SecretRotation {
  name: SecretName;
  value: string;
  /** Until when the value that is replaced counts for what comes in. Null: it ends now, and every older one with it. */
  overlapUntil: Date | null;
}

/** Every change says who makes it, and is in the audit log when it is made. */
export interface AccountStore {
  /** @throws ConfigError ACCOUNT_EXISTS */
  create(account: NewAccount, by: Actor): Promise<Account>;
  /** By id; without a scope all of them. */
  list(scope?: Scope): Promise<Account[]>;
  get(id: string): Promise<Account | null>;
  /** Only the given parts change; given secrets replace the current ones at once, no old value counts any more. Null: no such account. */
  update(id: string, change: AccountChange, by: Actor): Promise<Account | null>;
  /** Adds a warning, from now on; one of the same code stays as it is. */
  setWarning(id: string, warning: Omit<AccountWarning, "since">): Promise<void>;
  /** Removes the warning of this code; the others stay. */
  clearWarning(id: string, code: string): Promise<void>;
  /** Deletes the account with its conversations and messages. */
  remove(id: string, by: Actor): Promise<boolean>;
  /**
   * Gives a secret a new value; the old one counts a while longer where that means anything. The value that is current already
   * changes nothing, so that a rotation can be repeated. Null when there is no such account.
   */
  rotateSecret(id: string, rotation: SecretRotation, by: Actor): Promise<Account | null>;
  /** Ends the old values of a secret before their time; the current one stays. Null when there is no such account. */
  revokeOldSecrets(id: string, name: SecretName, by: Actor): Promise<Account | null>;
  /** The account with its secrets in clear: the current ones, and with them those that are still taken. */
  getWithSecrets(id: string): Promise<{ account: Account; secrets: AccountSecrets; credentials: AccountCredentials } | null>;
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

export interface PageRequest {
  limit: number;
  cursor?: string;
}

/** What belongs to an account outside the scope is not there. */
export interface ConversationStore {
  list(filter: ConversationFilter, page: PageRequest, scope: Scope): Promise<Page<ConversationOverview> | "bad-cursor">;
  get(id: string, scope: Scope): Promise<ConversationOverview | null>;
  /** Only what is given changes; what became different is in the audit log, by name. */
  updateContact(id: string, contact: Partial<Contact>, scope: Scope, by: Actor): Promise<ConversationOverview | null>;
  /** Newest first. */
  messages(conversationId: string, page: PageRequest, scope: Scope): Promise<Page<Message> | "bad-cursor">;
  message(id: string, scope: Scope): Promise<{ message: Message; attempts: Attempt[] } | null>;
  /** Whether a contact of this account has ever written. */
  hasInbound(accountId: string): Promise<boolean>;
}

export interface ApiKeyStore {
  /** The key with this SHA-256; null when there is none or it has expired. */
  find(hash: string): Promise<ApiKey | null>;
  /** Oldest first, the expired ones too. */
  list(): Promise<ApiKey[]>;
  /** How many keys may manage keys: valid, of role admin, good for all accounts. */
  countAdmins(): Promise<number>;
  /** Null when the id or the hash is taken. */
  create(key: NewApiKey, by: Actor): Promise<ApiKey | null>;
  /** Makes the key with this id the given one; an earlier one with the same id ends. Run again it changes nothing. */
  replace(key: NewApiKey, by: Actor): Promise<void>;
  /** Ends a key, unless nobody could manage keys any more: also of two removed at the same moment one stays. */
  remove(id: string, by: Actor): Promise<"removed" | "unknown" | "last-admin">;
  /** Notes that the key was used just now, once a minute. */
  touch(id: string): Promise<void>;
}

export interface AuditFilter {
  accountId?: string;
  /** An actor's id. */
  actor?: string;
  action?: AuditAction;
  since?: Date;
  until?: Date;
}

/** Entries are written by whatever makes the change, in its transaction. They are kept for ever. */
export interface AuditStore {
  /** Newest first. With a scope, only what was done to one of its accounts. */
  list(filter: AuditFilter, page: PageRequest, scope: Scope): Promise<Page<AuditEntry> | "bad-cursor">;
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

export interface Replayed {
  accountId: string;
  conversationId: string;
  messageIds: string[];
}

export interface ReplayStore {
  /**
   * Enqueues again what is dead, failed, uncertain or held, behind all that waits in its queue. Pressed twice, the second press finds
   * nothing left to do. The audit log has the message, or of several their number per account.
   * @returns the messages that now wait to leave, by conversation
   */
  replay(filter: ReplayFilter, scope: Scope, by: Actor): Promise<Replayed[]>;
}

export interface RetentionStore {
  /**
   * Removes up to `limit` of the oldest messages if they were stored so long ago, by the database's clock, and nothing of them waits to
   * leave: a process whose clock is wrong by years must not remove what is new.
   * @returns how many; 0 also while another process is at it
   */
  removeOld(olderThanMs: number, limit: number): Promise<number>;
  /** Deletes the old values of secrets whose overlap is over. They have counted for nothing since. */
  removeExpiredSecrets(): Promise<number>;
  /**
   * Gives the room of what was deleted or replaced back for use. Only an embedded database needs it and does it; nothing else runs
   * there meanwhile, so tables above this size, when one is given, are left out.
   */
  reclaim(bytesMax?: number): Promise<void>;
}

export interface PushRejectStore {
  put(reject: { accountId: string; reason: string; contentType: string | undefined; body: string }): Promise<void>;
}

export interface HealthStore {
  /** Resolves when every migration of this build is applied and messages can be stored, which it proves by writing; else rejects. */
  check(): Promise<void>;
}
