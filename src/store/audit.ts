import type { Scope } from "../domain/api-key.ts";
import type { AuditAction, AuditEntry, NewAuditEntry } from "../domain/audit.ts";
import type { AuditFilter, AuditStore, Page, PageRequest } from "../domain/store.ts";
import type { Prisma, PrismaClient } from "../generated/prisma/client.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { inScope } from "./scope.ts";

type Row = Prisma.AuditEntryGetPayload<object>;

export function createAuditStore(prisma: PrismaClient): AuditStore {
  return { list: (filter, page, scope) => list(prisma, filter, page, scope) };
}

/** Writes down a change, in the transaction that makes it: what is done is in the log, and what is in the log was done. */
export async function writeAudit(tx: Prisma.TransactionClient, entry: NewAuditEntry): Promise<void> {
  const { actor, action, accountId, subject, detail } = entry;
  await tx.$executeRaw`
    INSERT INTO audit_entries (actor, actor_name, action, account_id, subject, detail)
    VALUES (${actor.id}, ${actor.name}, ${action}, ${accountId}, ${subject}, ${JSON.stringify(detail)}::jsonb)`;
}

/** Entries are numbered in the order of their coming, so what is inserted meanwhile moves nothing. */
async function list(
  prisma: PrismaClient,
  { accountId, actor, action, since, until }: AuditFilter,
  { limit, cursor }: PageRequest,
  scope: Scope,
): Promise<Page<AuditEntry> | "bad-cursor"> {
  const after = cursor === undefined ? undefined : readCursor(cursor, /^\d{1,18}$/);
  if (after === null) return "bad-cursor";
  const rows = await prisma.auditEntry.findMany({
    where: {
      AND: [
        { accountId: inScope(scope) },
        accountId === undefined ? {} : { accountId },
        actor === undefined ? {} : { actor },
        action === undefined ? {} : { action },
        since === undefined ? {} : { at: { gte: since } },
        until === undefined ? {} : { at: { lt: until } },
        after === undefined ? {} : { id: { lt: BigInt(after[1]) } },
      ],
    },
    orderBy: { id: "desc" },
    take: limit + 1,
  });
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return {
    items: items.map(toEntry),
    nextCursor: last === undefined ? null : writeCursor([last.at.toISOString(), String(last.id)]),
  };
}

function toEntry({ id, at, actor, actorName, action, accountId, subject, detail }: Row): AuditEntry {
  return {
    id: String(id),
    at,
    actor: { id: actor, name: actorName },
    action: action as AuditAction,
    accountId,
    subject,
    detail: detail as AuditEntry["detail"],
  };
}
