import type { Scope } from "../domain/api-key.ts";
import type { Actor } from "../domain/audit.ts";
import type { Contact, ConversationOverview } from "../domain/conversation.ts";
import type { ConversationFilter, ConversationStore, Page, PageRequest } from "../domain/store.ts";
import type { Prisma, PrismaClient } from "../generated/prisma/client.ts";
import { writeAudit } from "./audit.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import type { Database } from "./database/database.ts";
import { readDatabaseNow } from "./database/database-now.ts";
import { getMessage, listMessages } from "./messages.ts";
import { toConversation } from "./rows.ts";
import { inScope } from "./scope.ts";

type Row = Prisma.ConversationGetPayload<object>;

export function createConversationStore(database: Database): ConversationStore {
  const { prisma } = database;
  return {
    list: (filter, page, scope) => list(prisma, filter, page, scope),
    get: (id, scope) => get(prisma, id, scope),
    updateContact: async (id, contact, scope, by) => {
      const isThere = await updateContact(prisma, id, contact, scope, by);
      return isThere ? get(prisma, id, scope) : null;
    },
    messages: (conversationId, page, scope) => listMessages(database, conversationId, page, scope),
    message: (id, scope) => getMessage(database, id, scope),
    hasInbound: async (accountId) => {
      const where = { accountId, lastInboundAt: { not: null } };
      return (await prisma.conversation.findFirst({ where, select: { id: true } })) !== null;
    },
  };
}

async function get(prisma: PrismaClient, id: string, scope: Scope): Promise<ConversationOverview | null> {
  const row = await prisma.conversation.findUnique({ where: { id, accountId: inScope(scope) } });
  if (row === null) return null;
  const [overview] = await toOverviews(prisma, [row]);
  return overview ?? null;
}

/** @returns whether there is such a conversation */
async function updateContact(prisma: PrismaClient, id: string, contact: Partial<Contact>, scope: Scope, actor: Actor): Promise<boolean> {
  return prisma.$transaction(async (tx) => {
    const before = await tx.conversation.findUnique({ where: { id, accountId: inScope(scope) } });
    if (before === null) return false;
    await tx.conversation.update({ where: { id }, data: contact });
    const fields = CONTACT_FIELDS.filter((field) => contact[field] !== undefined && contact[field] !== before[field]);
    const { accountId } = before;
    if (fields.length > 0) await writeAudit(tx, { actor, action: "contact.changed", accountId, subject: id, detail: { fields } });
    return true;
  });
}

const CONTACT_FIELDS = ["email", "nickname", "number"] as const;

/** `active_at` is at most so far behind `updated_at`. */
const ACTIVE_STEP_MS = 10_000;

/**
 * Latest activity first: pages by `active_at`, which moves in steps of ten seconds so that most updates write no index, and within a page by
 * `updated_at`. The cursor names the last row of the page, so what is inserted meanwhile moves nothing.
 */
async function list(
  prisma: PrismaClient,
  filter: ConversationFilter,
  { limit, cursor }: PageRequest,
  scope: Scope,
): Promise<Page<ConversationOverview> | "bad-cursor"> {
  const after = cursor === undefined ? undefined : readCursor(cursor, /^cv_[0-9a-f]+$/);
  if (after === null) return "bad-cursor";
  const rows = await prisma.conversation.findMany({
    where: { AND: [toWhere(filter), { accountId: inScope(scope) }, after === undefined ? {} : isAfter(after)] },
    orderBy: [{ activeAt: "desc" }, { id: "desc" }],
    take: limit + 1,
  });
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const newestFirst = [...page].sort((a, b) => b.updatedAt.getTime() - a.updatedAt.getTime());
  return {
    items: await toOverviews(prisma, newestFirst),
    nextCursor: last === undefined ? null : writeCursor([last.activeAt.toISOString(), last.id]),
  };
}

function toWhere({ accountId, status, agentName, q, updatedSince }: ConversationFilter): Prisma.ConversationWhereInput {
  return {
    ...(accountId === undefined ? {} : { accountId }),
    ...(status === undefined ? {} : { status }),
    ...(agentName === undefined ? {} : { agentName }),
    ...(updatedSince === undefined ? {} : isUpdatedSince(updatedSince)),
    ...(q === undefined ? {} : { OR: SEARCHED.map((field) => ({ [field]: { contains: escapeLike(q), mode: "insensitive" } })) }),
  };
}

/** The first condition has an index. */
function isUpdatedSince(since: Date): Prisma.ConversationWhereInput {
  return { activeAt: { gte: new Date(since.getTime() - ACTIVE_STEP_MS) }, updatedAt: { gte: since } };
}

const SEARCHED = ["openId", "nickname", "number", "email", "agentName"] as const;

/** Prisma hands `contains` to LIKE as it is. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}

function isAfter([activeAt, id]: readonly [string, string]): Prisma.ConversationWhereInput {
  const at = new Date(activeAt);
  return { OR: [{ activeAt: { lt: at } }, { activeAt: at, id: { lt: id } }] };
}

async function toOverviews(prisma: PrismaClient, rows: Row[]): Promise<ConversationOverview[]> {
  const counting = prisma.message.groupBy({
    by: ["conversationId", "state"],
    where: {
      conversationId: { in: rows.map(({ id }) => id) },
      errorCode: { not: null },
      state: { in: ["dead", "failed", "uncertain"] },
    },
    _count: true,
  });
  const [counts, now] = await Promise.all([counting, readDatabaseNow(prisma)]);
  const countOf = (id: string, state: string) => counts.find((count) => count.conversationId === id && count.state === state)?._count ?? 0;
  return rows.map((row) => {
    const toCustomer = Number(row.outboundLast - row.outboundDone);
    return {
      ...toConversation(row),
      passiveOpen: row.openCallbacks.some((until) => until > now),
      pending: {
        toDesk: Number(row.inboundLast - row.inboundDone),
        toCustomer,
        held: row.outboundHeldCode === null ? 0 : toCustomer,
        dead: countOf(row.id, "dead"),
        failed: countOf(row.id, "failed"),
        uncertain: countOf(row.id, "uncertain"),
      },
    };
  });
}
