import { createHash, randomBytes } from "node:crypto";

/** What a key may do: viewers read, operators also talk to customers and send again, admins also see to accounts, secrets and keys. */
export type Role = "admin" | "operator" | "viewer";

/** The accounts that somebody sees; null: all of them. What belongs to another account is not there for them. */
export type Scope = readonly string[] | null;

export const ALL_ACCOUNTS: Scope = null;

/** The key that the settings hold, put back at each start; and the one that the first start makes when they hold none. */
export const SETTINGS_KEY_ID = "key_settings";
export const FIRST_KEY_ID = "key_first";

export interface NewApiKey {
  id: string;
  name: string;
  role: Role;
  /** The accounts it is good for; empty: all of them. */
  accountIds: readonly string[];
  /** SHA-256 of the key, hex. */
  hash: string;
  expiresAt: Date | null;
}

/** A key as the API shows it. */
export interface ApiKey extends Omit<NewApiKey, "hash"> {
  createdAt: Date;
  /** To the minute. */
  lastUsedAt: Date | null;
}

/** An empty list of accounts stands for all of them in a key only; from here on nothing else has to know. */
export function toScope({ accountIds }: Pick<ApiKey, "accountIds">): Scope {
  return accountIds.length === 0 ? ALL_ACCOUNTS : accountIds;
}

export function isInScope(scope: Scope, accountId: string): boolean {
  return scope === null || scope.includes(accountId);
}

/** A new key: 192 random bits. */
export function generateApiKey(): string {
  return `wxk_${randomBytes(24).toString("base64url")}`;
}

/** The hash that is stored and looked up in place of a key. Keys are long and random, so a plain hash suffices, and looking it up tells no timing. */
export function hashApiKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
