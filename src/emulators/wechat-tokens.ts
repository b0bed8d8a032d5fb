import { randomBytes } from "node:crypto";
import type { EmulatedAccount } from "./wechat-account.ts";

const MINUTE_MS = 60_000;
const LIFETIME_MS = 120 * MINUTE_MS;
/** The platform renews this long before the end, and the old token of /cgi-bin/token lives this much longer (wechat.md §10). */
const OVERLAP_MS = 5 * MINUTE_MS;

export interface IssuedToken {
  value: string;
  account: EmulatedAccount;
  expiresAt: number;
}

/** Every access token that was ever issued. Those of stable_token and of /cgi-bin/token do not touch each other. */
export interface Tokens {
  /** The same token until shortly before its end; `force` replaces it, and the old one is no longer known. */
  stable(account: EmulatedAccount, force: boolean): IssuedToken;
  /** A new token with each call; the one before ends five minutes later. */
  renewed(account: EmulatedAccount): IssuedToken;
  /** The account, or the code of the refusal, which for an unknown token differs by platform. */
  check(value: string | null, codeOfUnknown: number): EmulatedAccount | number;
  expireAll(): void;
}

export function createTokens(now: () => number): Tokens {
  const issued = new Map<string, IssuedToken>();
  const stable = new Map<EmulatedAccount, IssuedToken>();
  const latest = new Map<EmulatedAccount, IssuedToken>();

  const issue = (account: EmulatedAccount): IssuedToken => {
    // 512 characters: the manual wants room for that many, so they are made use of.
    const token = { value: randomBytes(384).toString("base64url"), account, expiresAt: now() + LIFETIME_MS };
    issued.set(token.value, token);
    return token;
  };

  return {
    stable: (account, force) => {
      const current = stable.get(account);
      if (current && !force && current.expiresAt - now() > OVERLAP_MS) return current;
      if (current && force) issued.delete(current.value);
      const next = issue(account);
      stable.set(account, next);
      return next;
    },
    renewed: (account) => {
      const before = latest.get(account);
      if (before) before.expiresAt = Math.min(before.expiresAt, now() + OVERLAP_MS);
      const next = issue(account);
      latest.set(account, next);
      return next;
    },
    check: (value, codeOfUnknown) => {
      if (!value) return 41001;
      const token = issued.get(value);
      if (!token) return codeOfUnknown;
      return token.expiresAt > now() ? token.account : 42001;
    },
    expireAll: () => {
      for (const token of issued.values()) token.expiresAt = Math.min(token.expiresAt, now());
    },
  };
}
