import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { isInScope } from "../../domain/api-key.ts";
import type { ReplayFilter } from "../../domain/store.ts";
import { notFound } from "../problem.ts";
import type { ApiDeps } from "./deps.ts";
import { toShownMessage } from "./message-view.ts";
import { accountId, givenMoment, idParams } from "./schemas/common.ts";
import { RETRY_ORDER_EXAMPLES } from "./schemas/examples.ts";
import { shownMessage } from "./schemas/message.ts";

const REPLAYABLE = ["dead", "failed", "uncertain", "held"] as const;

/** A page of work: who has more to send again presses again. */
const RETRIES_MAX = 1_000;

const retryOrder = z
  .strictObject({
    accountId: accountId.optional(),
    state: z.enum(REPLAYABLE).describe("Which messages: sending an uncertain one again may say it twice."),
    since: givenMoment.optional().describe("Only messages stored at this moment or later."),
    until: givenMoment.optional().describe("Only messages stored before this moment."),
  })
  .meta({ examples: RETRY_ORDER_EXAMPLES });

/** Sends again what did not arrive. Safe to press twice: what waits to leave is not enqueued once more. */
export const retryRoutes: FastifyPluginAsyncZod<Pick<ApiDeps, "accounts" | "conversations" | "replays" | "deliver">> = async (
  app,
  { accounts, conversations, replays, deliver },
) => {
  const replay = async (filter: ReplayFilter, { scope, caller }: Pick<FastifyRequest, "scope" | "caller">) => {
    const replayed = await replays.replay(filter, scope, caller);
    for (const conversation of replayed) deliver(conversation);
    return replayed.reduce((sum, { messageIds }) => sum + messageIds.length, 0);
  };

  app.post(
    "/messages/:id/retry",
    {
      config: { role: "operator", isScoped: true },
      schema: {
        tags: ["messages"],
        operationId: "retryMessage",
        summary: "Send a message again that is dead, failed, uncertain or held",
        description: "The answer shows the message as it waits or went; one that has arrived or is on its way is left alone.",
        params: idParams,
        response: { 200: shownMessage },
      },
    },
    async (request) => {
      const { params, scope } = request;
      await replay({ messageId: params.id, limit: 1 }, request);
      const found = await conversations.message(params.id, scope);
      if (!found) throw notFound(`message "${params.id}"`);
      return toShownMessage(found.message);
    },
  );

  app.post(
    "/messages/retry",
    {
      config: { role: "operator", isScoped: true },
      schema: {
        tags: ["messages"],
        operationId: "retryMessages",
        summary: `Send again all messages of one state, ${RETRIES_MAX} at a time`,
        description: "An account that there is not, or not for this key, is NOT_FOUND: a misspelt one must not look like nothing to do.",
        body: retryOrder,
        response: { 200: z.object({ retried: z.int(), more: z.boolean().describe("There may be more; press again.") }) },
      },
    },
    async (request) => {
      const { accountId, state, since, until } = request.body;
      if (accountId !== undefined && (!isInScope(request.scope, accountId) || (await accounts.get(accountId)) === null)) {
        throw notFound(`account "${accountId}"`);
      }
      const filter = {
        ...(accountId === undefined ? {} : { accountId }),
        states: [state],
        ...(since === undefined ? {} : { since: new Date(since) }),
        ...(until === undefined ? {} : { until: new Date(until) }),
        limit: RETRIES_MAX,
      };
      const retried = await replay(filter, request);
      return { retried, more: retried === RETRIES_MAX };
    },
  );
};
