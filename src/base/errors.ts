/** Every code an exception of ours can carry. Callers look at class and code, never at the text; the text names the remedy. */
export const ERROR_CODES = [
  "SIGNATURE_INVALID",
  "TIMESTAMP_STALE",
  "RECEIVER_MISMATCH",
  "ENCRYPTION_REQUIRED",
  "PUSH_UNAUTHORIZED",
  "ENCODING_AES_KEY_INVALID",
  "CIPHERTEXT_INVALID",
  "XML_INVALID",
  "JSON_INVALID",
  "MESSAGE_INVALID",
  "CONTENT_UNSUPPORTED",
  "CONNECT_FAILED",
  "ANSWER_LOST",
  "ACCOUNT_SECRET_MISSING",
  "ACCOUNT_EXISTS",
  "ACCOUNT_DUPLICATE",
  "MASTER_KEY_MISSING",
  "MASTER_KEY_WRONG",
  "SETTINGS_INVALID",
  "MIGRATION_CHANGED",
  "DATABASE_TOO_OLD",
  "MIGRATIONS_INCOMPLETE",
  "DATA_FOLDER_IN_USE",
  "DATA_FOLDER_UNUSABLE",
  "DATABASE_UNREACHABLE",
  "DATABASE_BUSY",
  "DATABASE_READ_ONLY",
  "DATABASE_FULL",
  "DATABASE_FORBIDDEN",
  "DATABASE_MISMATCHED",
  "DATABASE_POOLED",
  "DATABASE_FAILED",
  "LISTENER_UNAVAILABLE",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

class CodedError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The sender could not prove who it is. Answered with a short 401; the text is for our log only. */
export class VerificationError extends CodedError {}

/** The sender is genuine or unknown, but its bytes cannot be read. Answered with 400. */
export class DecodeError extends CodedError {}

/** An outgoing request got no usable answer. CONNECT_FAILED: no byte left. ANSWER_LOST: it may have been taken. */
export class TransportError extends CodedError {}

/** Set up wrongly: the text says what to change. */
export class ConfigError extends CodedError {}

/** Another account is the same app at the platform. The text names it; `otherId` lets a caller who may not see it leave it out. */
export class AccountDuplicateError extends ConfigError {
  readonly otherId: string | null;
  constructor(otherId: string | null, identity: string, options?: ErrorOptions) {
    const other = otherId === null ? "another account" : `account "${otherId}"`;
    super("ACCOUNT_DUPLICATE", `${other} has ${identity} already, enabled or not; change that account, or delete it first`, options);
    this.otherId = otherId;
  }
}
