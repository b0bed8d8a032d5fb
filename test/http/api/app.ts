import { randomBytes } from "node:crypto";
import Fastify, { type FastifyInstance, type LightMyRequestResponse, type RouteOptions } from "fastify";
import { type ApiKey, hashApiKey, type Role } from "../../../src/domain/api-key.ts";
import type { ApiDeps } from "../../../src/http/api/deps.ts";
import { apiPlugin } from "../../../src/http/api/plugin.ts";
import { openapiPlugin } from "../../../src/http/openapi.ts";

export const KEYS: Readonly<Record<Role, string>> = {
  admin: `admin-${randomBytes(8).toString("hex")}`,
  operator: `operator-${randomBytes(8).toString("hex")}`,
  viewer: `viewer-${randomBytes(8).toString("hex")}`,
};

const KEY_ROWS = new Map(Object.entries(KEYS).map(([role, key]) => [hashApiKey(key), toKeyRow(role as Role)]));

function toKeyRow(role: Role): ApiKey {
  return { id: `key_${role}`, name: role, role, accountIds: [], createdAt: new Date(0), lastUsedAt: null, expiresAt: null };
}

/**
 * The API as server.ts serves it. A port that a test does not give fails when it is touched.
 * @param onRoute hears of every route, also of one that the description leaves out
 */
export async function createApi(given: Partial<ApiDeps> = {}, onRoute: (route: RouteOptions) => void = () => {}): Promise<FastifyInstance> {
  const app = Fastify();
  app.addHook("onRoute", onRoute);
  await app.register(openapiPlugin, { version: "0.0.0" });
  const deps: ApiDeps = {
    accounts: unexpected("accounts"),
    conversations: unexpected("conversations"),
    outbound: unexpected("outbound"),
    replays: unexpected("replays"),
    connections: unexpected("connections"),
    toDatabaseFault: () => null,
    http: unexpected("http"),
    apiKeys: { ...unexpected<ApiDeps["apiKeys"]>("apiKeys"), find: async (hash) => KEY_ROWS.get(hash) ?? null, touch: async () => {} },
    audit: unexpected("audit"),
    deliver: () => {},
    partsMax: 20,
    publicUrl: () => "https://gateway.example.com",
    now: () => new Date("2026-01-31T02:03:04.005Z"),
    ...given,
  };
  await app.register(apiPlugin, { prefix: "/api/v1", ...deps });
  return app;
}

function unexpected<Port extends object>(name: string): Port {
  return new Proxy({} as Port, {
    get: (_target, verb) => () => {
      throw new Error(`unexpected call of ${name}.${String(verb)}`);
    },
  });
}

export type Call = (
  method: "GET" | "POST" | "PATCH" | "DELETE" | "HEAD",
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<LightMyRequestResponse>;

/** Calls the API with the key of one role. */
export function callAs(app: FastifyInstance, role: Role): Call {
  return callWith(app, KEYS[role]);
}

export function callWith(app: FastifyInstance, key: string, remoteAddress = "127.0.0.1"): Call {
  return (method, path, body, headers = {}) =>
    app.inject({
      method,
      url: `/api/v1${path}`,
      remoteAddress,
      headers: { authorization: `Bearer ${key}`, ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
    });
}

export const SHOP = {
  id: "shop",
  name: "Shop service account",
  kind: "official_account",
  wechat: { appId: "wx0123456789abcdef", appSecret: "app-secret-0123456789" },
  desk: { protocol: "udesk-message-interface", url: "https://example.udesk.cn/spa1/im_callback", key: "desk-key-0123456789" },
};
