import { createHash, timingSafeEqual } from "node:crypto";
import { ConfigError } from "../base/errors.ts";
import type { HttpClient } from "../base/http-client.ts";
import { createOfficialAccount } from "../channels/official-account/index.ts";
import { createWecom } from "../channels/wecom/index.ts";
import { createUdeskMessageInterface } from "../desks/udesk-message-interface/index.ts";
import { ACCOUNT_ID, type SecretName } from "../domain/account.ts";
import type { Channel } from "../domain/channel.ts";
import type { Connection, Connections } from "../domain/connection.ts";
import { type Credential, validAt } from "../domain/credential.ts";
import type { Desk } from "../domain/desk.ts";
import { toExternalSecretName } from "../domain/external-secret-name.ts";
import type { AccountStore } from "../domain/store.ts";
import type { MediaFetcher } from "../media/fetcher.ts";
import type { AccessTokens } from "../platform/access-tokens.ts";

export interface ConnectionsDeps {
  accounts: AccountStore;
  http: HttpClient;
  tokens: AccessTokens;
  media: MediaFetcher;
  now: () => Date;
}

interface Cached {
  connection: Connection | null;
  version: number | null;
  /** By the monotonic clock: set back, the time of day would keep a revoked secret. */
  checkedAtMs: number;
}

/** How old a connection may be that another process has changed. */
const FRESH_MS = 1_000;
/** Account ids come from addresses that anybody can call: what is not there is remembered for a while, but not without bound. */
const CACHED_MAX = 10_000;

/** Makes the two ends of each account, once for each version of it. The registry of channels and desks is here. */
export function createConnections(deps: ConnectionsDeps): Connections {
  const cache = new Map<string, Promise<Cached>>();

  const load = async (accountId: string): Promise<Cached> => {
    const stored = await deps.accounts.getWithSecrets(accountId);
    const connection = stored?.account.enabled ? connect(stored, deps) : null;
    return { connection, version: stored?.account.version ?? null, checkedAtMs: performance.now() };
  };

  const refresh = async (accountId: string, known: Promise<Cached> | undefined): Promise<Cached> => {
    const cached = await known?.catch(() => undefined);
    if (cached === undefined) return load(accountId);
    const version = await deps.accounts.getVersion(accountId);
    return version === cached.version ? { ...cached, checkedAtMs: performance.now() } : load(accountId);
  };

  return {
    get: async (accountId) => {
      // Addresses come from anybody: what cannot be an id, a NUL in it for one, does not reach the database.
      if (!ACCOUNT_ID.test(accountId)) return null;
      const known = cache.get(accountId);
      const cached = await known?.catch(() => undefined);
      if (cached !== undefined && performance.now() - cached.checkedAtMs < FRESH_MS) return cached.connection;
      // The first caller queries; the others find its promise.
      if (cache.get(accountId) === known) {
        if (cache.size >= CACHED_MAX) cache.clear();
        cache.set(accountId, refresh(accountId, known));
      }
      return (await (cache.get(accountId) ?? refresh(accountId, undefined))).connection;
    },
    forget: (accountId) => {
      cache.delete(accountId);
    },
  };
}

type Stored = NonNullable<Awaited<ReturnType<AccountStore["getWithSecrets"]>>>;

function connect(stored: Stored, deps: ConnectionsDeps): Connection {
  const pushTokens = needAll(stored, "pushToken");
  return {
    account: stored.account,
    channel: toChannel(stored, deps),
    desk: toDesk(stored, deps),
    acceptsPushToken: (given) => isOneOf(validAt(pushTokens, deps.now()), given),
  };
}

function toChannel(stored: Stored, { http, tokens, media, now }: ConnectionsDeps): Channel {
  const { account, secrets } = stored;
  const token = needAll(stored, "token");
  const platform = { secrets, http, tokens, media, now };
  switch (account.kind) {
    case "official_account": {
      const credentials = { token, encodingAesKey: stored.credentials.encodingAesKey ?? [] };
      return createOfficialAccount({ account, credentials, ...platform });
    }
    case "wecom":
      return createWecom({
        account,
        credentials: { token, encodingAesKey: needAll(stored, "encodingAesKey") },
        ...platform,
      });
  }
}

function toDesk(stored: Stored, { http, now }: ConnectionsDeps): Desk {
  const { account } = stored;
  switch (account.desk.protocol) {
    case "udesk-message-interface":
      return createUdeskMessageInterface({ account, key: need(stored, "deskKey"), keys: needAll(stored, "deskKey"), http, now });
  }
}

/** What goes out uses this value. */
function need({ account, secrets }: Stored, name: SecretName): string {
  const value = secrets[name];
  if (value === undefined) {
    throw new ConfigError(
      "ACCOUNT_SECRET_MISSING",
      `account "${account.id}" has no ${toExternalSecretName(name, account.kind)}; set it with PATCH /api/v1/accounts/${account.id}`,
    );
  }
  return value;
}

/** What comes in may use any of these. */
function needAll(stored: Stored, name: SecretName): readonly Credential[] {
  need(stored, name);
  return stored.credentials[name] ?? [];
}

/** Every value is compared, and each in constant time, so that the time tells nothing of any of them. */
function isOneOf(values: readonly string[], given: string): boolean {
  return values.map((value) => timingSafeEqual(digest(given), digest(value))).includes(true);
}

function digest(value: string): Buffer {
  return createHash("sha256").update(value).digest();
}
