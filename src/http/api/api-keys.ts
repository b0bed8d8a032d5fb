import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { type ApiKey, generateApiKey, hashApiKey, SETTINGS_KEY_ID } from "../../domain/api-key.ts";
import { newApiKeyId } from "../../domain/ids.ts";
import { notFound, Problem } from "../problem.ts";
import type { ApiDeps } from "./deps.ts";
import { createdApiKey, newApiKey, type ShownApiKey, shownApiKey } from "./schemas/api-key.ts";
import { idParams, toMoment } from "./schemas/common.ts";
import { validationFailed } from "./validate.ts";

/** Keys are for admins of all accounts: a key that is limited to some could otherwise make itself one that is not. */
export const apiKeyRoutes: FastifyPluginAsyncZod<Pick<ApiDeps, "accounts" | "apiKeys" | "now">> = async (
  app,
  { accounts, apiKeys, now },
) => {
  app.post(
    "/api-keys",
    {
      schema: {
        tags: ["access"],
        operationId: "createApiKey",
        summary: "Create an API key",
        description: "The answer holds the key. It is stored hashed and not shown again.",
        body: newApiKey,
        response: { 201: createdApiKey },
      },
    },
    async ({ body, caller }, reply) => {
      const accountIds = [...new Set(body.accountIds)];
      const expiresAt = body.expiresAt === undefined ? null : new Date(body.expiresAt);
      if (expiresAt !== null && expiresAt <= now()) {
        throw validationFailed([{ in: "body", pointer: "#/expiresAt", detail: "must lie in the future" }]);
      }
      const known = new Set((await accounts.list(accountIds)).map(({ id }) => id));
      const unknown = (body.accountIds ?? []).flatMap((id, index) => (known.has(id) ? [] : index));
      if (unknown.length > 0) {
        const detail = "is not the id of an account; GET /accounts lists all";
        throw validationFailed(unknown.map((index) => ({ in: "body", pointer: `#/accountIds/${index}`, detail })));
      }
      const key = generateApiKey();
      const made = await apiKeys.create(
        { id: newApiKeyId(), name: body.name, role: body.role, accountIds, hash: hashApiKey(key), expiresAt },
        caller,
      );
      if (made === null) throw new Error("a new API key had the id or the hash of another");
      return reply.code(201).send({ ...toShownApiKey(made), key });
    },
  );

  app.get(
    "/api-keys",
    {
      schema: {
        tags: ["access"],
        operationId: "listApiKeys",
        summary: "List all API keys, oldest first",
        response: { 200: z.object({ items: z.array(shownApiKey) }) },
      },
    },
    async () => ({ items: (await apiKeys.list()).map(toShownApiKey) }),
  );

  app.delete(
    "/api-keys/:id",
    {
      schema: {
        tags: ["access"],
        operationId: "deleteApiKey",
        summary: "Delete an API key",
        description: "It is refused from the next request on. The last key that may manage keys stays.",
        params: idParams,
        querystring: z.strictObject({
          confirm: z
            .string()
            .optional()
            .describe(`The key's own id; asked for \`${SETTINGS_KEY_ID}\` only, which comes from the settings.`),
        }),
        response: { 204: z.undefined().describe("Deleted.") },
      },
    },
    async ({ params: { id }, query, caller }, reply) => {
      if (id === SETTINGS_KEY_ID && query.confirm !== id) throw settingsKeyReturns();
      const outcome = await apiKeys.remove(id, caller);
      if (outcome === "unknown") throw notFound(`API key "${id}"`);
      if (outcome === "last-admin") {
        throw new Problem(
          "LAST_ADMIN_KEY",
          "nobody could manage keys without this one; create another key of role admin for all accounts first",
        );
      }
      return reply.code(204).send();
    },
  );
};

function settingsKeyReturns(): Problem {
  const remedy = "remove or change that setting, and repeat the key's id in ?confirm= to go on";
  return new Problem(
    "CONFIRMATION_MISSING",
    `this key is WXDESK_ADMIN_KEY and comes back at the next start while that has its value; ${remedy}`,
  );
}

function toShownApiKey({ id, name, role, accountIds, createdAt, lastUsedAt, expiresAt }: ApiKey): ShownApiKey {
  const moments = { createdAt: toMoment(createdAt), lastUsedAt: toMoment(lastUsedAt), expiresAt: toMoment(expiresAt) };
  return { id, name, role, accountIds: [...accountIds], ...moments };
}
