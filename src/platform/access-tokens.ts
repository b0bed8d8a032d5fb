import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../base/log.ts";
import type { AccountIdentity } from "../domain/account.ts";
import type { AccessTokenStore, StoredAccessToken } from "../domain/store.ts";
import type { RetryOutcome } from "./answer.ts";

/** Whose token: what is in memory is forgotten when the account's version changes, because its credentials may have. */
export type TokenOwner = Pick<AccountIdentity, "id" | "version">;

export interface FetchedToken {
  value: string;
  expiresInSeconds: number;
  /** Why the lifetime is assumed; absent when the platform stated it. */
  lifetimeDoubt?: string;
}

/** Asks the platform. `force` demands a new token even though the platform thinks its last one is good. */
export type FetchToken = (force: boolean) => Promise<FetchedToken>;

/** No token could be had, so nothing was sent. */
export class AccessTokenRefusal extends Error {
  readonly outcome: RetryOutcome;
  constructor(outcome: Omit<RetryOutcome, "kind">, options?: ErrorOptions) {
    super(outcome.detail, options);
    this.name = new.target.name;
    this.outcome = { ...outcome, kind: "retry" };
  }
}

/**
 * Keeps one access token per account for all processes. However many ask at once, one fetches: callers in this process share its
 * promise, other processes wait for the store. Every failure is an AccessTokenRefusal and leaves no lease behind.
 */
export interface AccessTokens {
  get(owner: TokenOwner, fetchToken: FetchToken): Promise<string>;
  /** A token in place of one that the platform refused; when another caller has replaced that one already, its successor. */
  refresh(owner: TokenOwner, refusedToken: string, fetchToken: FetchToken): Promise<string>;
}

export interface AccessTokensDeps {
  store: AccessTokenStore;
  now: () => Date;
  /** Hears of a lifetime that had to be assumed. */
  log?: Pick<Log, "warn">;
  wait?: (ms: number) => Promise<unknown>;
}

// A fetch is given 5 s. The lease outlasts it, and who waits outlasts the lease, so that a holder that died is succeeded.
const LEASE_MS = 10_000;
const WAIT_MS_MAX = 12_000;
const POLL_MS = 200;
// OA takes force_refresh 20 times a day, at least 30 s apart (wechat.md §10).
const FORCE_PAUSE_MS = 30_000;
// The platform may end a token a little before the time it told us.
const RENEW_EARLY_SECONDS_MAX = 300;

export function createAccessTokens({ store, now, log, wait = sleep }: AccessTokensDeps): AccessTokens {
  const remembered = new Map<string, StoredAccessToken & { version: number }>();
  const fetches = new Map<string, Promise<string>>();
  const forcedAtMs = new Map<string, number>();

  return {
    get: (owner, fetchToken) => obtain(owner, null, fetchToken),
    refresh: (owner, refusedToken, fetchToken) => obtain(owner, refusedToken, fetchToken),
  };

  async function obtain(owner: TokenOwner, refused: string | null, fetchToken: FetchToken): Promise<string> {
    const known = remembered.get(owner.id);
    if (known && known.version === owner.version && isUsable(known, refused)) return known.value;
    const underWay = fetches.get(toKey(owner));
    if (underWay) {
      const token = await underWay;
      if (token !== refused) return token;
      // It had begun before the refusal was known and brought the refused token from the store.
    }
    return share(owner, refused, fetchToken);
  }

  function share(owner: TokenOwner, refused: string | null, fetchToken: FetchToken): Promise<string> {
    const key = toKey(owner);
    const underWay = fetches.get(key);
    if (underWay) return underWay;
    const started = find(owner, refused, fetchToken)
      .catch((error: unknown) => {
        throw toRefusal(error);
      })
      .finally(() => fetches.delete(key));
    fetches.set(key, started);
    return started;
  }

  async function find(owner: TokenOwner, refused: string | null, fetchToken: FetchToken): Promise<string> {
    for (let waitedMs = 0; waitedMs <= WAIT_MS_MAX; waitedMs += POLL_MS) {
      const stored = await readUsable(owner.id, refused);
      if (stored) return remember(owner, stored);
      if (await store.lease(owner.id, LEASE_MS)) return remember(owner, await fetchUnderLease(owner.id, refused, fetchToken));
      await wait(POLL_MS);
    }
    throw new AccessTokenRefusal({ code: "ACCESS_TOKEN_BUSY", detail: "another process is fetching the access token and does not finish" });
  }

  async function fetchUnderLease(accountId: string, refused: string | null, fetchToken: FetchToken): Promise<StoredAccessToken> {
    try {
      // Another process may have stored one and ended its lease between our query and our lease.
      const stored = await readUsable(accountId, refused);
      if (stored) {
        await store.unlease(accountId);
        return stored;
      }
      const askedAt = now();
      const fetched = await fetchToken(refused !== null && mayForce(accountId));
      if (fetched.lifetimeDoubt !== undefined) log?.warn({ accountId, reason: fetched.lifetimeDoubt }, "access_token.lifetime_assumed");
      const token = toStored(fetched, askedAt);
      await store.put(accountId, token);
      return token;
    } catch (error) {
      await store.unlease(accountId).catch(() => undefined);
      throw error;
    }
  }

  async function readUsable(accountId: string, refused: string | null): Promise<StoredAccessToken | null> {
    const stored = await store.get(accountId);
    return stored && isUsable(stored, refused) ? stored : null;
  }

  function isUsable({ value, expiresAt }: StoredAccessToken, refused: string | null): boolean {
    return value !== refused && expiresAt > now();
  }

  function remember({ id, version }: TokenOwner, token: StoredAccessToken): string {
    remembered.set(id, { ...token, version });
    return token.value;
  }

  function mayForce(accountId: string): boolean {
    const nowMs = now().getTime();
    const lastMs = forcedAtMs.get(accountId);
    if (lastMs !== undefined && nowMs - lastMs < FORCE_PAUSE_MS) return false;
    forcedAtMs.set(accountId, nowMs);
    return true;
  }
}

function toKey({ id, version }: TokenOwner): string {
  return `${id} ${version}`;
}

/** What is stored as the end is the moment to renew, so that nobody has to know the margin when reading. */
function toStored({ value, expiresInSeconds }: FetchedToken, askedAt: Date): StoredAccessToken {
  const earlySeconds = Math.min(RENEW_EARLY_SECONDS_MAX, expiresInSeconds / 10);
  return { value, expiresAt: new Date(askedAt.getTime() + (expiresInSeconds - earlySeconds) * 1_000) };
}

/** A failing store tells no details: a database may quote the row, and the row is the token. */
function toRefusal(error: unknown): AccessTokenRefusal {
  if (error instanceof AccessTokenRefusal) return error;
  const detail = "the access token could not be read or stored; is the database there?";
  return new AccessTokenRefusal({ code: "ACCESS_TOKEN_STORE_FAILED", detail }, { cause: error });
}
