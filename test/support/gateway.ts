import { createHash, randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { onTestFinished } from "vitest";
import { type App, type AppOptions, createApp } from "../../src/app/app.ts";
import { readConfig } from "../../src/config.ts";
import { type DeskEmulator, startDesk } from "../../src/emulators/desk.ts";
import {
  type AccountDetails,
  type EmulatedAccount,
  startWechat,
  type WechatEmulator,
  type WechatOptions,
} from "../../src/emulators/wechat.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

export const ADMIN_KEY = "admin-key-of-the-tests-0123456789";
export const DESK_KEY = "0123456789abcdef0123456789abcdef";

export interface Gateway {
  app: App;
  address: string;
  wechat: WechatEmulator;
  desk: DeskEmulator;
  database: TestDatabase;
  /** One request to the API, with the admin key; the parsed body comes back whatever the status is. */
  api<T = Record<string, unknown>>(method: string, path: string, body?: unknown, key?: string | null): Promise<{ status: number; body: T }>;
  /** Makes an account through the API and its counterpart at the emulated WeChat. */
  connect(kind: AccountDetails["kind"], change?: AccountChange): Promise<ConnectedAccount>;
}

export interface OpenGateway extends Gateway {
  close(): Promise<void>;
}

export interface ConnectedAccount {
  id: string;
  callbackUrl: string;
  pushUrl: string;
  wechat: EmulatedAccount;
}

export interface AccountChange {
  id?: string;
  wechat?: Record<string, unknown>;
  desk?: Record<string, unknown>;
  replies?: Record<string, unknown>;
}

export interface GatewayOptions extends AppOptions {
  wechat?: WechatOptions;
  environment?: Record<string, string>;
}

/** Quick enough for a test, and still a pause: retries happen within tens of milliseconds. */
const TEST_PAUSES: AppOptions = {
  pauseMs: () => 50,
  pollMs: 50,
  breakerPauseMs: 100,
  stopNoticeMs: 0,
  pushAnswerMs: 60_000,
  callbackStoreMs: 60_000,
};

/** A WeChat that hangs up, and a gateway that gives up on itself, only where that is what is tested: elsewhere a busy machine would do it. */
export const PATIENT: WechatOptions = { hangUpAfter: () => new AbortController().signal };
const DESK_TIMEOUT_MS = 10_000;

/** A real gateway with the emulated WeChat and desk around it, all on loopback; everything ends with the test. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const gateway = await openGateway(options);
  onTestFinished(gateway.close);
  return gateway;
}

/** The same for the tests of a whole file, which close it themselves. */
export async function openGateway({ wechat: wechatOptions = {}, environment, ...options }: GatewayOptions = {}): Promise<OpenGateway> {
  const wechat = await startWechat({ ...(wechatOptions.callbackTimeoutMs ? {} : PATIENT), ...wechatOptions });
  const desk = await startDesk({ key: DESK_KEY });
  const database = await createTestDatabase();
  const config = readConfig({
    WXDESK_PORT: "0",
    WXDESK_LOG_LEVEL: "silent",
    WXDESK_ADMIN_KEY: ADMIN_KEY,
    WXDESK_MASTER_KEY: randomBytes(32).toString("base64"),
    ...environment,
  });
  const app = await createApp(config, { database: database.address, ...TEST_PAUSES, ...options });
  await app.listen();

  const gateway: OpenGateway = {
    app,
    address: app.address,
    wechat,
    desk,
    database,
    api: (method, path, body, key = ADMIN_KEY) => callApi(gateway.address, method, path, body, key),
    connect: (kind, change) => connect(gateway, kind, change),
    close: async () => {
      await gateway.app.close();
      await Promise.all([wechat.close(), desk.close()]);
      await database.drop();
    },
  };
  return gateway;
}

export async function callApi<T>(address: string, method: string, path: string, body: unknown, key: string | null) {
  const response = await fetch(`${address}/api/v1${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as T };
}

const TOKEN = "tok3nForTests";
const ENCODING_AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/** Makes an account through the API of any gateway, and its counterpart at the emulated WeChat. */
export async function connect(
  gateway: Pick<Gateway, "api" | "wechat" | "desk">,
  kind: AccountDetails["kind"],
  change: AccountChange = {},
): Promise<ConnectedAccount> {
  const id = change.id ?? (kind === "wecom" ? "company" : "shop");
  const callback = { token: TOKEN, encodingAesKey: ENCODING_AES_KEY, apiBaseUrl: gateway.wechat.url };
  const own = kind === "wecom" ? toApp(id) : { appId: toAppId(id), appSecret: "app-secret" };
  const wechat = { ...own, ...callback, ...change.wechat };
  const { status, body } = await gateway.api<{ callbackUrl: string; pushUrl: string }>("POST", "/accounts", {
    id,
    name: `Test ${kind}`,
    kind,
    wechat,
    desk: { protocol: "udesk-message-interface", url: gateway.desk.url, key: DESK_KEY, timeoutMs: DESK_TIMEOUT_MS, ...change.desk },
    ...(change.replies && { replies: change.replies }),
  });
  if (status !== 201) throw new Error(`the account was refused: ${JSON.stringify(body)}`);
  gateway.desk.connectPush(body.pushUrl);
  const details = { encryption: "safe", accountName: "gh_0123456789ab", ...wechat, kind } as AccountDetails;
  return {
    id,
    callbackUrl: body.callbackUrl,
    pushUrl: body.pushUrl,
    wechat: gateway.wechat.addAccount({ ...details, callbackUrl: body.callbackUrl }),
  };
}

/** An app of its own for each account; of the usual one the usual. */
function toApp(id: string) {
  const number = Number.parseInt(createHash("sha256").update(id).digest("hex").slice(0, 4), 16);
  const own = id === "company" ? { agentId: 1_000_002 } : { agentId: 1_000_100 + number, corpSecret: `corp-secret-${id}` };
  return { corpId: "ww8f3c1d7e2a9b4056", corpSecret: "corp-secret", ...own };
}

/** Of the usual account the usual appId, of each other one its own. */
export function toAppId(id: string): string {
  return id === "shop" ? "wx0123456789abcdef" : `wx${createHash("sha256").update(id).digest("hex").slice(0, 16)}`;
}

export interface ShownMessage {
  id: string;
  direction: string;
  type: string;
  text: string;
  state: string;
  way: string | null;
  attempts: number;
  error: string | null;
  errorCode: string | null;
}

/** Only ends what hangs: on a machine that is busy with other things, a second's work takes many. */
const HANGS_AFTER_MS = 60_000;

/** Asks again until the condition holds; names what it waited for when that hangs. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T>,
  isTrue: (value: T) => boolean,
  timeoutMs = HANGS_AFTER_MS,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (isTrue(value)) return value;
    if (Date.now() > end) throw new Error(`${what} did not come true; last seen: ${JSON.stringify(value)}`);
    // Asked without a pause, an embedded database would have little time left for what is waited for.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface ShownConversation {
  id: string;
  status: string;
  turn: number | null;
  agentName: string | null;
  notice: string | null;
  pending: { toDesk: number; toCustomer: number; dead: number; failed: number; uncertain: number };
  reply: { ways: string[]; held: number; remaining: number | null; windowClosesAt: string | null };
}

/** The conversation of a contact, and its messages, oldest first; the two belong to the same moment. */
export async function look({ api }: Pick<Gateway, "api">, account: Pick<ConnectedAccount, "id">, openId: string) {
  const path = `/accounts/${account.id}/contacts/${encodeURIComponent(openId)}/conversation`;
  let conversation = (await api<ShownConversation>("GET", path)).body;
  for (;;) {
    const { items } = (await api<{ items: ShownMessage[] }>("GET", `/conversations/${conversation.id}/messages?limit=200`)).body;
    const before = conversation;
    conversation = (await api<ShownConversation>("GET", path)).body;
    if (isDeepStrictEqual(before, conversation)) return { conversation, messages: [...items].reverse() };
  }
}
