import { createHash } from "node:crypto";
import type { FastifyRequest, onRequestAsyncHookHandler } from "fastify";
import type { ApiKey, Role } from "../../domain/api-key.ts";
import type { ApiKeyStore } from "../../domain/store.ts";
import { Problem } from "../problem.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The least role that may call the route. A route that names none is for admins. */
    role?: Role;
  }
  interface FastifyRequest {
    /** The key that the request was made with; set on every route of the API. */
    caller: ApiKey;
  }
}

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** Lets a request pass whose bearer key is known and whose role suffices for the route; runs before the body is read. */
export function createAuthenticator(apiKeys: ApiKeyStore): onRequestAsyncHookHandler {
  return async (request) => {
    const key = await apiKeys.find(hashApiKey(readBearerKey(request)));
    if (!key) throw new Problem("UNAUTHORIZED", "the API key is unknown or no longer valid; send one that is");
    const needed = request.is404 ? "viewer" : (request.routeOptions.config.role ?? "admin");
    if (RANK[key.role] < RANK[needed]) throw new Problem("FORBIDDEN", `this takes a key with the role ${needed}; yours has ${key.role}`);
    request.caller = key;
  };
}

/** What is stored and looked up in place of a key. Keys are long and random, so a plain hash suffices, and looking it up tells no timing. */
export function hashApiKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

function readBearerKey({ headers }: FastifyRequest): string {
  const key = headers.authorization?.match(/^Bearer +([\x21-\x7e]+) *$/i)?.[1];
  if (key === undefined) throw new Problem("UNAUTHORIZED", 'send an API key in the header "Authorization: Bearer <key>"');
  return key;
}
