import { hash, randomBytes, randomUUID } from "node:crypto";

/** A conversation's id follows from account and contact, so that no look-up is needed and two processes cannot make two. */
export function toConversationId(accountId: string, openId: string): string {
  return `cv_${hash("sha256", `${accountId}\0${openId}`).slice(0, 32)}`;
}

/** A new message id: 48 bits of milliseconds, then 80 random bits, in hex; sorts by time. */
export function newMessageId(now: Date): string {
  return `ms_${now.getTime().toString(16).padStart(12, "0")}${randomHex80()}`;
}

/** The random digits of a UUID, without those that state its version and variant: Node fetches randomness for many of them at once. */
function randomHex80(): string {
  const uuid = randomUUID();
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(-8);
}

export function newApiKeyId(): string {
  return `key_${randomBytes(8).toString("hex")}`;
}

/** The name of a holder of claims: one for each worker and each open callback. 72 random bits, short because every claim stores it. */
export function newHolder(kind: "worker" | "callback"): string {
  return `${kind}-${randomBytes(9).toString("base64url")}`;
}
