import type { FastifyRequest, onRequestAsyncHookHandler } from "fastify";
import { type ApiKey, hashApiKey, isInScope, type Role, type Scope, toScope } from "../../domain/api-key.ts";
import { notFound, Problem } from "../problem.ts";
import type { ApiDeps } from "./deps.ts";
import { createGuessLimit, type GuessLimit } from "./guess-limit.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The least role that may call the route. A route that names none is for admins. */
    role?: Role;
    /** The route hands `request.scope` to the store. Without this, a key limited to accounts gets in below `/accounts/:id` only. */
    isScoped?: true;
  }
  interface FastifyRequest {
    /** The key that the request was made with; set on every route of the API, like its scope. */
    caller: ApiKey;
    scope: Scope;
  }
}

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };
const TOUCH_EVERY_MS = 60_000;

/**
 * Lets a request pass whose bearer key is known, whose role suffices for the route, and whose scope holds the account in the
 * route's path; runs before the body is read. What has no account in its path is narrowed by the store, or closed to limited keys.
 */
export function createAuthenticator({ apiKeys, now }: Pick<ApiDeps, "apiKeys" | "now">): onRequestAsyncHookHandler {
  const guesses = createGuessLimit();
  return async (request) => {
    const key = await identify(request, apiKeys, guesses);
    request.caller = key;
    request.scope = toScope(key);
    if (key.lastUsedAt === null || now().getTime() - key.lastUsedAt.getTime() >= TOUCH_EVERY_MS) {
      await apiKeys.touch(key.id).catch((error: unknown) => request.log.warn({ key: key.id, error }, "api-key.touch-failed"));
    }
    if (!request.is404) authorize(request);
  };
}

/** Whether the route's account is in its path, where every route of one account has it. */
export function namesAccount(url: string): boolean {
  return /\/accounts\/:id(?=\/|$)/.test(url);
}

async function identify(request: FastifyRequest, apiKeys: ApiDeps["apiKeys"], guesses: GuessLimit): Promise<ApiKey> {
  const key = await apiKeys.find(hashApiKey(readBearerKey(request)));
  if (key !== null) return key;
  // A client that has hung up meanwhile has no address any more, whatever the type says.
  const address = request.ip ?? "unknown";
  request.log.warn({ address }, "api-key.refused");
  await guesses.failed(address);
  throw new Problem("UNAUTHORIZED", "the API key is unknown or no longer valid; send one that is");
}

function authorize({ caller, scope, params, routeOptions: { config, url = "" } }: FastifyRequest): void {
  const needed = config.role ?? "admin";
  if (RANK[caller.role] < RANK[needed])
    throw new Problem("FORBIDDEN", `this takes a key with the role ${needed}; yours has ${caller.role}`);
  if (scope === null || config.isScoped === true) return;
  if (!namesAccount(url)) throw new Problem("FORBIDDEN", "this takes a key that is good for all accounts; yours is limited to some");
  const { id } = params as { id: string };
  if (!isInScope(scope, id)) throw notFound(`account "${id}"`);
}

function readBearerKey({ headers }: FastifyRequest): string {
  const key = headers.authorization?.match(/^Bearer +([\x21-\x7e]+) *$/i)?.[1];
  if (key === undefined) throw new Problem("UNAUTHORIZED", 'send an API key in the header "Authorization: Bearer <key>"');
  return key;
}
