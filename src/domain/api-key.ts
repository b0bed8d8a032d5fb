/** What a key may do: viewers read, operators also talk to customers and send again, admins also see to accounts, secrets and keys. */
export type Role = "admin" | "operator" | "viewer";

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
  lastUsedAt: Date | null;
}
