import type { ContentType } from "./content.ts";
import type { Credential } from "./credential.ts";

/** An account's id stands in addresses; what looks otherwise is no account's. */
export const ACCOUNT_ID = /^[a-z0-9][a-z0-9_-]{0,62}$/;

export type AccountKind = "official_account" | "wecom";
export type Encryption = "plain" | "compatible" | "safe";

/** Secrets by role. The platform secret is exchanged for access tokens; external-secret-name.ts has the name each platform gives it. */
export const SECRET_NAMES = ["token", "encodingAesKey", "platformSecret", "deskKey", "pushToken"] as const;
export type SecretName = (typeof SECRET_NAMES)[number];

/** The secrets that something which comes in proves itself with. The others only go out, so an old value of theirs counts nowhere. */
export const INBOUND_SECRETS: ReadonlySet<SecretName> = new Set(["token", "encodingAesKey", "deskKey", "pushToken"]);

export interface OfficialAccountSettings {
  appId: string;
  encryption: Encryption;
  apiBaseUrl: string;
  /** Callbacks whose timestamp is further off are refused; 0 switches the check off. */
  timestampToleranceSeconds: number;
}

export interface WecomSettings {
  corpId: string;
  agentId: number;
  apiBaseUrl: string;
  timestampToleranceSeconds: number;
}

/** `native` hands a type to the desk in its own form, `text` as a readable line with a link. */
export type TypeRendering = "native" | "text";

export interface DeskSettings {
  protocol: "udesk-message-interface";
  /** The desk's im_callback address, without query. */
  url: string;
  timeoutMs: number;
  /** What stands for an unknown phone and e-mail: nothing, or a stable value made from the contact. */
  identity: "empty" | "synthetic";
  /** Refuse pushes without a valid `sign`. */
  requireSign: boolean;
  types: Partial<Record<ContentType, TypeRendering>>;
}

export interface RepliesSettings {
  /** Whether the platform lets this account send asynchronous messages. */
  async: boolean;
  notices: "changes" | "always" | "never";
  /** How long a callback stays open for a reply. */
  passiveWaitMs: number;
}

export type ChannelSettings = { kind: "official_account"; wechat: OfficialAccountSettings } | { kind: "wecom"; wechat: WecomSettings };

export type AccountSettings = ChannelSettings & { desk: DeskSettings; replies: RepliesSettings };

/** What is known of a stored secret without revealing it. */
export interface SecretMark {
  set: boolean;
  hint: string | null;
  changedAt: Date | null;
  /** Old values that still count for what comes in, the latest first. */
  previous: FormerMark[];
}

export interface FormerMark {
  hint: string;
  expiresAt: Date;
}

/** A problem that keeps, or may keep, an account from working as set; noticed at work. Work that shows its end removes the warning. */
export interface AccountWarning {
  code: string;
  sentence: string;
  since: Date;
}

/** WeChat's "api unauthorized": the account may not send asynchronous messages. */
export const NOT_AUTHORISED = "48001";

/** The desk answers messages without a word. */
export const DESK_SILENT = "DESK_SILENT";

export interface AccountIdentity {
  id: string;
  name: string;
  enabled: boolean;
  /** Grows with every change of the account or of its secrets. */
  version: number;
  /** One of each code, the latest first. */
  warnings: readonly AccountWarning[];
  createdAt: Date;
  updatedAt: Date;
}

/** An account as the API shows it: nothing secret in it. */
export type Account = AccountIdentity & AccountSettings & { secrets: Partial<Record<SecretName, SecretMark>> };

/** The current secrets in clear: what goes out uses these. Never logged, never serialised; lives only in memory. */
export type AccountSecrets = Partial<Record<SecretName, string>>;

/** All that what comes in may prove itself with, in clear: of each secret the current value first, then old ones in their overlap. */
export type AccountCredentials = Partial<Record<SecretName, readonly Credential[]>>;
