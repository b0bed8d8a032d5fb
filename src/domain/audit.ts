/** Who changes something: an API key, or the command line on the machine itself (`cli`), or the gateway's own settings. */
export interface Actor {
  /** An API key's id, `cli` or `settings`. */
  id: string;
  name: string;
}

/** Whoever set `WXDESK_ADMIN_KEY`, or started the gateway for the first time. */
export const SETTINGS: Actor = { id: "settings", name: "the gateway's settings" };

/** What was done, in dotted past tense. */
export const AUDIT_ACTIONS = [
  "account.created",
  "account.changed",
  "account.enabled",
  "account.disabled",
  "account.deleted",
  "secret.changed",
  "secret.rotated",
  "secret.revoked",
  "api-key.created",
  "api-key.changed",
  "api-key.deleted",
  "contact.changed",
  "message.written",
  "message.retried",
  "master-key.rotated",
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface NewAuditEntry {
  actor: Actor;
  action: AuditAction;
  accountId: string | null;
  /** What was changed, where the account does not say it: an id or a secret's name. */
  subject: string | null;
  /** Names of the changed fields and harmless facts; never a value of a secret, never what a customer said. */
  detail: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
}

export interface AuditEntry extends NewAuditEntry {
  id: string;
  at: Date;
}
