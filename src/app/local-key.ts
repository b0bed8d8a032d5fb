import { randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import { type ApiKey, hashApiKey } from "../domain/api-key.ts";
import type { Actor } from "../domain/audit.ts";
import type { ApiKeyStore } from "../domain/store.ts";

/**
 * A key that exists in this process's memory only, and the stored keys with it among them. It is for the command line on this
 * machine: who may read our data folder, or runs our code on our database, could read every secret anyway, so it is an admin.
 */
export function withLocalKey<Keys extends ApiKeyStore>(apiKeys: Keys): { key: string; apiKeys: Keys } {
  const key = `wxl_${randomBytes(24).toString("base64url")}`;
  const localHash = hashApiKey(key);
  const local: ApiKey = {
    ...commandLineActor(),
    role: "admin",
    accountIds: [],
    createdAt: new Date(),
    lastUsedAt: new Date(),
    expiresAt: null,
  };
  return {
    key,
    apiKeys: { ...apiKeys, find: async (hash: string) => (hash === localHash ? { ...local, lastUsedAt: new Date() } : apiKeys.find(hash)) },
  };
}

/** Who the audit log says it was, when a command changed something. */
export function commandLineActor(): Actor {
  return { id: "cli", name: `command line (${userName()})` };
}

/** A container's user need not have a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "a user without a name";
  }
}
