import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ConversationOverview } from "../../domain/conversation.ts";
import { toConversationId } from "../../domain/ids.ts";
import { notFound } from "../problem.ts";
import { toShownConversation } from "./conversation-view.ts";
import type { ApiDeps } from "./deps.ts";
import { takePage } from "./page.ts";
import { idParams, pageOf } from "./schemas/common.ts";
import { contactPatch, conversationQuery, type ShownConversation, shownConversation } from "./schemas/conversation.ts";

/** Who talks with us, what the desk says of it, and how they can be answered. */
export const conversationRoutes: FastifyPluginAsyncZod<Pick<ApiDeps, "accounts" | "conversations" | "now">> = async (
  app,
  { accounts, conversations, now },
) => {
  /** Several conversations of one account look it up once. */
  async function show(overviews: readonly ConversationOverview[]): Promise<ShownConversation[]> {
    const ids = [...new Set(overviews.map(({ accountId }) => accountId))];
    const found = new Map(await Promise.all(ids.map(async (id) => [id, await accounts.get(id)] as const)));
    return overviews.map((overview) => toShownConversation(overview, found.get(overview.accountId) ?? null, now()));
  }

  async function showOne(overview: ConversationOverview | null, what: string): Promise<ShownConversation> {
    const [shown] = overview ? await show([overview]) : [];
    if (!shown) throw notFound(what);
    return shown;
  }

  app.get(
    "/conversations",
    {
      config: { role: "viewer", isScoped: true },
      schema: {
        tags: ["conversations"],
        operationId: "listConversations",
        summary: "List conversations, newest first",
        querystring: conversationQuery,
        response: { 200: pageOf(shownConversation) },
      },
    },
    async ({ query: { limit, cursor, updatedSince, ...filter }, scope }) => {
      const since = updatedSince === undefined ? {} : { updatedSince: new Date(updatedSince) };
      const { items, nextCursor } = takePage(await conversations.list({ ...filter, ...since }, { limit, cursor }, scope));
      return { items: await show(items), nextCursor };
    },
  );

  app.get(
    "/conversations/:id",
    {
      config: { role: "viewer", isScoped: true },
      schema: {
        tags: ["conversations"],
        operationId: "getConversation",
        summary: "Show a conversation",
        params: idParams,
        response: { 200: shownConversation },
      },
    },
    async ({ params, scope }) => showOne(await conversations.get(params.id, scope), `conversation "${params.id}"`),
  );

  app.get(
    "/accounts/:id/contacts/:openId/conversation",
    {
      config: { role: "viewer", isScoped: true },
      schema: {
        tags: ["conversations"],
        operationId: "getContactConversation",
        summary: "Show the conversation of a contact",
        params: idParams.extend({ openId: z.string() }),
        response: { 200: shownConversation },
      },
    },
    async ({ params, scope }) =>
      showOne(
        await conversations.get(toConversationId(params.id, params.openId), scope),
        `conversation of contact "${params.openId}" with account "${params.id}"`,
      ),
  );

  app.patch(
    "/conversations/:id",
    {
      config: { role: "operator", isScoped: true },
      schema: {
        tags: ["conversations"],
        operationId: "updateContact",
        summary: "Change what is known of a contact",
        params: idParams,
        body: contactPatch,
        response: { 200: shownConversation },
      },
    },
    async ({ params, body, scope, caller }) =>
      showOne(await conversations.updateContact(params.id, body.contact, scope, caller), `conversation "${params.id}"`),
  );
};
