import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { newMessageId } from "../../domain/ids.ts";
import { toSendableText } from "../../domain/sendable-text.ts";
import { countParts } from "../../flow/limit-parts.ts";
import { notFound, Problem } from "../problem.ts";
import type { ApiDeps } from "./deps.ts";
import { toShownAttempt, toShownMessage } from "./message-view.ts";
import { takePage } from "./page.ts";
import { idParams, pageOf, pageQuery } from "./schemas/common.ts";
import { idempotencyHeaders, newMessage, shownMessage, shownMessageWithAttempts } from "./schemas/message.ts";
import { validationFailed } from "./validate.ts";

type MessageDeps = "connections" | "conversations" | "outbound" | "deliver" | "partsMax" | "now";

/** What was said, how it travelled, and a way for an operator to say something. */
export const messageRoutes: FastifyPluginAsyncZod<Pick<ApiDeps, MessageDeps>> = async (
  app,
  { connections, conversations, outbound, deliver, partsMax, now },
) => {
  app.get(
    "/conversations/:id/messages",
    {
      config: { role: "viewer", isScoped: true },
      schema: {
        tags: ["messages"],
        operationId: "listMessages",
        summary: "List the messages of a conversation, newest first",
        params: idParams,
        querystring: z.strictObject(pageQuery),
        response: { 200: pageOf(shownMessage) },
      },
    },
    async ({ params, query, scope }) => {
      if (!(await conversations.get(params.id, scope))) throw notFound(`conversation "${params.id}"`);
      const { items, nextCursor } = takePage(await conversations.messages(params.id, query, scope));
      return { items: items.map(toShownMessage), nextCursor };
    },
  );

  app.get(
    "/messages/:id",
    {
      config: { role: "viewer", isScoped: true },
      schema: {
        tags: ["messages"],
        operationId: "getMessage",
        summary: "Show a message with every attempt",
        params: idParams,
        response: { 200: shownMessageWithAttempts },
      },
    },
    async ({ params, scope }) => {
      const found = await conversations.message(params.id, scope);
      if (!found) throw notFound(`message "${params.id}"`);
      return { ...toShownMessage(found.message), attempts: found.attempts.map(toShownAttempt) };
    },
  );

  app.post(
    "/conversations/:id/messages",
    {
      config: { role: "operator", isScoped: true },
      schema: {
        tags: ["messages"],
        operationId: "createMessage",
        summary: "Say something to the customer",
        description:
          "Stored when this answers, then sent like an agent's reply: 201, or 200 with the first message when the idempotency key was used before.",
        params: idParams,
        headers: idempotencyHeaders,
        body: newMessage,
        response: { 200: shownMessage, 201: shownMessage },
      },
    },
    async ({ params, headers, body, scope, caller }, reply) => {
      const conversation = await conversations.get(params.id, scope);
      if (!conversation) throw notFound(`conversation "${params.id}"`);
      const text = toSendableText(body.text);
      await refuseTooLong(text, conversation.accountId, { connections, partsMax });
      const newId = newMessageId(now());
      // Without a key of the client's nothing is a repetition: an operator may say the same thing twice.
      const dedupeKey = `api:${conversation.id}:${headers["idempotency-key"] ?? newId}`;
      const { replies } = await outbound.enqueue({
        conversationId: conversation.id,
        accountId: conversation.accountId,
        openId: conversation.openId,
        origin: "operator",
        replies: [{ messageId: newId, content: { type: "text", text }, dedupeKey }],
        by: caller,
      });
      const { messageId, isNew } = replies[0] ?? { messageId: newId, isNew: true };
      deliver({ conversationId: conversation.id, accountId: conversation.accountId });
      const stored = await conversations.message(messageId, scope);
      if (!stored) throw notFound(`message "${messageId}"`);
      if (!isNew && stored.message.text !== text) {
        throw new Problem("IDEMPOTENCY_KEY_REUSED", "this key was used for another text; send a new text with a new key");
      }
      return reply.code(isNew ? 201 : 200).send(toShownMessage(stored.message));
    },
  );
};

/** Of a disabled account nothing is known of what it can send; its messages wait, and were bounded by the schema. */
async function refuseTooLong(text: string, accountId: string, { connections, partsMax }: Pick<ApiDeps, "connections" | "partsMax">) {
  const connection = await connections.get(accountId);
  const count = connection === null ? 0 : countParts({ type: "text", text }, connection, partsMax);
  if (count <= partsMax) return;
  const detail = `makes at least ${count} messages to the customer, at most ${partsMax} are taken; send it in shorter texts`;
  throw validationFailed([{ in: "body", pointer: "#/text", detail }]);
}
