import { createHash, randomBytes, randomUUID } from "node:crypto";

/** A conversation's id follows from account and contact, so that no look-up is needed and two processes cannot make two. */
export function toConversationId(accountId: string, openId: string): string {
  const digest = createHash("sha256").update(accountId).update("\0").update(openId).digest("hex");
  return `cv_${digest.slice(0, 32)}`;
}

/** A new message id: 48 bits of milliseconds, then 80 random bits, in hex; sorts by time. */
export function newMessageId(now: Date): string {
  return `ms_${now.getTime().toString(16).padStart(12, "0")}${randomBytes(10).toString("hex")}`;
}

export function newApiKeyId(): string {
  return `key_${randomBytes(8).toString("hex")}`;
}

/** A name for whoever claims lanes: one for each worker and each open callback. */
export function newHolder(kind: "worker" | "callback"): string {
  return `${kind}-${randomUUID()}`;
}
