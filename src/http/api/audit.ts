import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import type { AuditEntry } from "../../domain/audit.ts";
import type { ApiDeps } from "./deps.ts";
import { takePage } from "./page.ts";
import { auditQuery, type ShownAuditEntry, shownAuditEntry } from "./schemas/audit.ts";
import { pageOf, toMoment } from "./schemas/common.ts";

/** Who changed what, and when. There is no route that changes or removes an entry. */
export const auditRoutes: FastifyPluginAsyncZod<Pick<ApiDeps, "audit">> = async (app, { audit }) => {
  app.get(
    "/audit",
    {
      config: { isScoped: true },
      schema: {
        tags: ["access"],
        operationId: "listAuditEntries",
        summary: "List who changed what, newest first",
        description: "Entries are kept for ever. A key limited to accounts sees what was done to these.",
        querystring: auditQuery,
        response: { 200: pageOf(shownAuditEntry) },
      },
    },
    async ({ query: { limit, cursor, since, until, ...filter }, scope }) => {
      const from = since === undefined ? {} : { since: new Date(since) };
      const to = until === undefined ? {} : { until: new Date(until) };
      const { items, nextCursor } = takePage(await audit.list({ ...filter, ...from, ...to }, { limit, cursor }, scope));
      return { items: items.map(toShownEntry), nextCursor };
    },
  );
};

function toShownEntry({ id, at, actor, action, accountId, subject, detail }: AuditEntry): ShownAuditEntry {
  const facts = Object.entries(detail).map(([name, fact]) => [name, typeof fact === "object" && fact !== null ? [...fact] : fact] as const);
  return { id, at: toMoment(at), actor: { id: actor.id, name: actor.name }, action, accountId, subject, detail: Object.fromEntries(facts) };
}
