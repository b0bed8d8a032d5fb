import { createHash, randomBytes } from "node:crypto";

/** A new key: 192 random bits. */
export function generateApiKey(): string {
  return `wxk_${randomBytes(24).toString("base64url")}`;
}

/** What is stored and looked up in place of a key. Keys are long and random, so a plain hash suffices, and looking it up tells no timing. */
export function hashApiKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
