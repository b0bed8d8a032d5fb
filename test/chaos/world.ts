import { randomBytes } from "node:crypto";
import { type DeskEmulator, startDesk } from "../../src/emulators/desk.ts";
import { type AccountDetails, type EmulatedAccount, startWechat, type WechatEmulator } from "../../src/emulators/wechat.ts";
import { findFreePort } from "../support/free-port.ts";
import type { AccountKind } from "./account-kind.ts";
import { findFaketime } from "./faketime.ts";
import type { Plan } from "./plan.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";
import { type LoadBalancer, startProxy } from "./proxy.ts";
import { createReplica, type Replica } from "./replica.ts";

/** Real gateway processes on one real database, with the two outsides in this process; everything over loopback. */
export interface World {
  postgres: PostgresServer;
  databaseUrl: string;
  wechat: WechatEmulator;
  /** A desk and an account of each kind: what goes wrong at one desk leaves the other alone. */
  sides: Record<AccountKind, Side>;
  /** Whether replicas can have clocks of their own here. */
  canSkewClocks: boolean;
  replicas: Replica[];
  proxy: LoadBalancer;
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
  close(): Promise<void>;
}

export interface Side {
  id: string;
  desk: DeskEmulator;
  account: EmulatedAccount;
}

/** A desk gives up on a push that is not answered, as WeChat does on a callback, and pushes again. */
const PUSH_TIMEOUT_MS = 5_000;
/** Shorter than usual, so that more happens in a minute. WeChat hangs up after its five seconds. */
const PASSIVE_WAIT_MS = 1_500;
const DESK_TIMEOUT_MS = 1_500;
const ADMIN_KEY = "admin-key-of-the-chaos-0123456789";
const DESK_KEY = "0123456789abcdef0123456789abcdef";
const CALLBACK_SECRETS = { token: "tok3nForTests", encodingAesKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG" };

const ACCOUNTS = {
  official_account: { id: "shop", wechat: { appId: "wx0123456789abcdef", appSecret: "app-secret", encryption: "safe" } },
  wecom: { id: "company", wechat: { corpId: "ww8f3c1d7e2a9b4056", corpSecret: "corp-secret", agentId: 1000002 } },
} as const;

/**
 * At least the way to WeChat and back. Three tries within a few milliseconds would all meet connections that the load balancer has kept to a
 * replica which was killed just now; it finds them broken one by one.
 */
const WECHAT_PAUSE_MS = 100;

export async function startWorld({ clocksMs }: Plan, folder: string): Promise<World> {
  const faketime = findFaketime();
  const postgres = await startPostgres();
  const databaseUrl = await postgres.createDatabase();
  const wechat = await startWechat({ pauseMs: WECHAT_PAUSE_MS });
  const ports = await Promise.all(clocksMs.map(findFreePort));
  const proxy = await startProxy(ports.map((port) => `http://127.0.0.1:${port}`));
  const environment = {
    DATABASE_URL: databaseUrl,
    WXDESK_PUBLIC_URL: proxy.url,
    WXDESK_ADMIN_KEY: ADMIN_KEY,
    WXDESK_MASTER_KEY: randomBytes(32).toString("base64"),
    WXDESK_DATA_DIR: folder,
  };
  const replicas = ports.map((port, index) => createReplica(`replica-${index}`, port, { environment, folder, faketime }));
  await Promise.all(replicas.map((replica, index) => replica.start(clocksMs[index] ?? 0)));

  const api = <T>(method: string, path: string, body?: unknown) => callApi<T>(proxy.url, method, path, body);
  const connect = (kind: AccountKind) => connectSide(kind, wechat, api);
  const sides = { official_account: await connect("official_account"), wecom: await connect("wecom") };
  return {
    postgres,
    databaseUrl,
    wechat,
    sides,
    canSkewClocks: faketime !== null,
    replicas,
    proxy,
    api,
    close: async () => {
      await Promise.all(replicas.map((replica) => replica.kill()));
      await Promise.all([proxy.close(), wechat.close(), ...Object.values(sides).map(({ desk }) => desk.close())]);
      await postgres.remove();
    },
  };
}

async function connectSide(kind: AccountKind, wechat: WechatEmulator, api: World["api"]): Promise<Side> {
  const desk = await startDesk({ key: DESK_KEY, pushTimeoutMs: PUSH_TIMEOUT_MS });
  const { id, wechat: own } = ACCOUNTS[kind];
  const details = { ...own, ...CALLBACK_SECRETS };
  const { callbackUrl, pushUrl } = await api<{ callbackUrl: string; pushUrl: string }>("POST", "/accounts", {
    id,
    kind,
    name: `Chaos ${kind}`,
    wechat: { ...details, apiBaseUrl: wechat.url },
    desk: { protocol: "udesk-message-interface", url: desk.url, key: DESK_KEY, timeoutMs: DESK_TIMEOUT_MS },
    replies: { passiveWaitMs: PASSIVE_WAIT_MS },
  });
  desk.connectPush(pushUrl);
  const account = wechat.addAccount({ accountName: "gh_0123456789ab", ...details, kind, callbackUrl } as AccountDetails & {
    callbackUrl: string;
  });
  return { id, desk, account };
}

async function callApi<T>(address: string, method: string, path: string, body: unknown): Promise<T> {
  const response = await fetch(`${address}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text) as T;
}
