import type { AccessTokenStore, StoredAccessToken } from "../../src/domain/store.ts";

export interface MemoryTokenStore extends AccessTokenStore {
  isLeased(accountId: string): boolean;
  /** How many statements were made. */
  statements(): number;
}

/** The port's promise in memory, for tests of who fetches and who waits; the real one is tested with the store. */
export function createTokenStore(now: () => Date): MemoryTokenStore {
  const tokens = new Map<string, StoredAccessToken>();
  const leasedUntilMs = new Map<string, number>();
  let statements = 0;
  const isLeased = (accountId: string) => (leasedUntilMs.get(accountId) ?? 0) > now().getTime();

  return {
    async get(accountId) {
      statements += 1;
      return tokens.get(accountId) ?? null;
    },
    async lease(accountId, leaseMs) {
      statements += 1;
      if (isLeased(accountId)) return false;
      leasedUntilMs.set(accountId, now().getTime() + leaseMs);
      return true;
    },
    async put(accountId, token) {
      statements += 1;
      tokens.set(accountId, token);
      leasedUntilMs.delete(accountId);
    },
    async unlease(accountId) {
      statements += 1;
      leasedUntilMs.delete(accountId);
    },
    isLeased,
    statements: () => statements,
  };
}
