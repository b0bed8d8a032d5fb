import type { FastifyPluginAsync } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { databaseProblem, problemSchema, sendProblem, sendRouteNotFound } from "../problem.ts";
import { accountTestRoute } from "./account-test.ts";
import { accountRoutes } from "./accounts.ts";
import { apiKeyRoutes } from "./api-keys.ts";
import { auditRoutes } from "./audit.ts";
import { createAuthenticator, namesAccount } from "./authenticate.ts";
import { conversationRoutes } from "./conversations.ts";
import type { ApiDeps } from "./deps.ts";
import { messageRoutes } from "./messages.ts";
import { retryRoutes } from "./retries.ts";
import { secretRoutes } from "./secrets.ts";
import { validatorCompiler } from "./validate.ts";

const BODY_BYTES_MAX = 256 * 1024;

/** The status API. Register it with the prefix `/api/v1`: the prefix also bounds its own 404. */
export const apiPlugin: FastifyPluginAsync<ApiDeps> = async (scope, deps) => {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  app.setErrorHandler((error, request, reply) => {
    const fault = deps.toDatabaseFault(error);
    return sendProblem(fault === null ? error : databaseProblem(fault, error), request, reply);
  });
  app.setNotFoundHandler(sendRouteNotFound);
  app.setValidatorCompiler(validatorCompiler);
  // The compiler has held every answer to its schema. Holding it again at run time could only turn one odd row into a failed page.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));

  const parseJson = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string", bodyLimit: BODY_BYTES_MAX }, (request, body, done) => {
    // Many clients announce JSON with every POST, also where there is nothing to say.
    if (body === "") return done(null, undefined);
    return parseJson(request, body.toString(), done);
  });

  app.addHook("onRequest", createAuthenticator(deps));
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });
  app.addHook("onRoute", (route) => {
    const problem = { description: "An RFC 9457 problem.", content: { "application/problem+json": { schema: problemSchema } } };
    const role = route.config?.role ?? "admin";
    const isOpenToLimitedKeys = route.config?.isScoped === true || namesAccount(route.url);
    const needs = `Needs the role ${role}${isOpenToLimitedKeys ? "" : ", and a key for all accounts"}.`;
    const description = [route.schema?.description, needs].filter(Boolean).join(" ");
    const response = { ...(route.schema?.response ?? {}), default: problem };
    route.schema = { ...route.schema, description, security: [{ bearer: [] }], response };
  });

  const { accounts, apiKeys, audit, connections, conversations, http, outbound, replays, deliver, partsMax, publicUrl, now } = deps;
  app.register(accountRoutes, { accounts, connections, publicUrl });
  app.register(accountTestRoute, { accounts, connections, conversations, publicUrl, http });
  app.register(secretRoutes, { accounts, connections, publicUrl, now });
  app.register(conversationRoutes, { accounts, conversations, now });
  app.register(messageRoutes, { connections, conversations, outbound, deliver, partsMax, now });
  app.register(retryRoutes, { accounts, conversations, replays, deliver });
  app.register(apiKeyRoutes, { accounts, apiKeys, now });
  app.register(auditRoutes, { audit });
};
