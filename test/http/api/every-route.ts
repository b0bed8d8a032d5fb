import type { FastifyInstance, HTTPMethods } from "fastify";
import { TransportError } from "../../../src/base/errors.ts";
import type { HttpClient } from "../../../src/base/http-client.ts";
import { generateApiKey, hashApiKey, type Role } from "../../../src/domain/api-key.ts";
import type { Connection } from "../../../src/domain/connection.ts";
import { toConversationId } from "../../../src/domain/ids.ts";
import type { Store } from "../../../src/domain/store.ts";
import { enqueueReply } from "../../support/reply.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../../support/store.ts";
import { createApi, SHOP } from "./app.ts";

type Method = "GET" | "POST" | "PATCH" | "DELETE";

export interface Route {
  /** `POST /accounts/:id/enable` */
  name: string;
  method: Method;
  url: string;
  role: Role;
  /** Whether keys that are limited to accounts get in at all. */
  isOpenToLimitedKeys: boolean;
}

/** One account with something in each table that a route can reach. */
export interface Belongings {
  accountId: string;
  openId: string;
  conversationId: string;
  messageId: string;
  keyId: string;
  /** What was said. */
  text: string;
}

export interface EveryRoute extends TestStore {
  app: FastifyInstance;
  routes: Route[];
}

const PREFIX = "/api/v1";

/** The API on a store of its own, with the list of all its routes as Fastify knows them: none can be forgotten. */
export async function openEveryRoute(): Promise<EveryRoute> {
  const testStore = await openTestStore();
  const routes: Route[] = [];
  const connections = { get: async () => CONNECTION, forget: () => {} };
  const app = await createApi({ ...testStore.store, connections, http: NOBODY }, ({ method, url, config }) => {
    for (const one of [method].flat() as HTTPMethods[]) {
      if (one === "HEAD" || !url.startsWith(`${PREFIX}/`)) continue;
      const path = url.slice(PREFIX.length);
      const isOpenToLimitedKeys = config?.isScoped === true || path.startsWith("/accounts/:id");
      routes.push({ name: `${one} ${path}`, method: one as Method, url: path, role: config?.role ?? "admin", isOpenToLimitedKeys });
    }
  });
  await app.ready();
  const close = async () => {
    await app.close();
    await testStore.close();
  };
  return { ...testStore, app, routes, close };
}

const FINE = { ok: true, sentence: "all is well" };
const CONNECTION = {
  account: { kind: "official_account", warnings: [], replies: { async: true }, wechat: { timestampToleranceSeconds: 600 }, secrets: {} },
  desk: { testChannel: async () => FINE },
  channel: { testAccess: async () => FINE, testKeys: () => FINE, testPermission: async () => FINE, asyncTextBytesMax: 2_048 },
} as unknown as Connection;

const NOBODY: HttpClient = {
  exchange: async () => {
    throw new TransportError("CONNECT_FAILED", "nobody there");
  },
  close: async () => {},
};

/** What a route needs beside the ids in its path to succeed. A new route that changes something is added here first. */
const REQUESTS: Readonly<Record<string, (own: Belongings) => { query?: string; body?: object }>> = {
  "POST /accounts": ({ accountId }) => ({ body: { ...SHOP, id: `${accountId}-2` } }),
  "PATCH /accounts/:id": () => ({ body: { name: "Renamed", desk: { key: "another-desk-key-0123456789" } } }),
  "DELETE /accounts/:id": ({ accountId }) => ({ query: `?confirm=${accountId}` }),
  "POST /accounts/:id/enable": () => ({}),
  "POST /accounts/:id/disable": () => ({}),
  "POST /accounts/:id/test": () => ({}),
  "POST /accounts/:id/secrets/:name": () => ({ body: { value: "rotated-desk-key-0123456789" } }),
  "DELETE /accounts/:id/secrets/:name/previous": () => ({}),
  "PATCH /conversations/:id": () => ({ body: { contact: { number: "13800138000" } } }),
  "POST /conversations/:id/messages": () => ({ body: { type: "text", text: "Your parcel has left." } }),
  "POST /messages/:id/retry": () => ({}),
  "POST /messages/retry": ({ accountId }) => ({ body: { state: "dead", accountId } }),
  "POST /api-keys": () => ({ body: { name: "another", role: "viewer" } }),
  "DELETE /api-keys/:id": () => ({}),
};

/** A request that succeeds on these belongings, for whoever may make it. */
export function toRequest({ name, method, url }: Route, own: Belongings): { method: Method; path: string; body?: object } {
  const more = method === "GET" ? {} : REQUESTS[name]?.(own);
  const path = url
    .replace("/accounts/:id", `/accounts/${own.accountId}`)
    .replace("/secrets/:name", "/secrets/deskKey")
    .replace(":openId", own.openId)
    .replace("/conversations/:id", `/conversations/${own.conversationId}`)
    .replace("/messages/:id", `/messages/${own.messageId}`)
    .replace("/api-keys/:id", `/api-keys/${own.keyId}`);
  if (more === undefined || path.includes(":")) throw new Error(`tell test/http/api/every-route.ts how to call ${name}`);
  return { method, path: `${path}${more.query ?? ""}`, ...(more.body && { body: more.body }) };
}

/** Makes an account with a conversation, a dead message in it, and a key; wanted, also an old value of a secret. */
export async function createBelongings(
  store: Store,
  accountId: string,
  { enabled = true, hasOldSecret = false } = {},
): Promise<Belongings> {
  await store.accounts.create(newAccount(accountId), TESTER);
  const rotation = { name: "deskKey", value: "newer-desk-key-0123456789", overlapUntil: new Date(Date.now() + 3_600_000) } as const;
  if (hasOldSecret) await store.accounts.rotateSecret(accountId, rotation, TESTER);
  if (!enabled) await store.accounts.update(accountId, { enabled }, TESTER);
  const openId = `oCustomerOf${accountId}`;
  const conversationId = toConversationId(accountId, openId);
  const text = `said at ${accountId}`;
  const { messageId } = await enqueueReply(store, openId, text, { accountId, dedupeKey: "push:1" });
  const claim = await store.queues.claimQueue(
    { conversationId, direction: "outbound" },
    { holder: "worker-1", messagesMax: 1, leaseMs: 60_000 },
  );
  const [queued] = claim?.messages ?? [];
  if (!claim || !queued) throw new Error("nothing was claimed");
  const outcome = { kind: "rejected", code: "40003", detail: "unknown openid" } as const;
  const attempt = { startedAt: new Date(), durationMs: 1 };
  await store.queues.settle(
    claim,
    [queued],
    { outcome, next: { kind: "finished", state: "dead" }, way: "async", attempt },
    { keepForMs: null },
  );
  const { id: keyId } = await createKey(store, { role: "viewer", accountIds: [accountId] });
  return { accountId, openId, conversationId, messageId, keyId, text };
}

let keysMade = 0;

export async function createKey(
  store: Store,
  { role = "admin" as Role, accountIds = [] as string[], expiresAt = null as Date | null } = {},
) {
  keysMade += 1;
  const key = generateApiKey();
  const id = `key_test${keysMade}`;
  const made = await store.apiKeys.create({ id, name: `${role} ${keysMade}`, role, accountIds, hash: hashApiKey(key), expiresAt }, TESTER);
  if (made === null) throw new Error("the key was not made");
  return { ...made, key };
}
