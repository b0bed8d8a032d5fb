import type { Scope } from "../domain/api-key.ts";
import type { Actor } from "../domain/audit.ts";
import type { Contact, ConversationOverview } from "../domain/conversation.ts";
import type { Attempt, Way } from "../domain/message.ts";
import type { ConversationFilter, ConversationStore, Page, PageRequest } from "../domain/store.ts";
import type { Prisma, PrismaClient } from "../generated/prisma/client.ts";
import { writeAudit } from "./audit.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { readDatabaseNow } from "./database/database-now.ts";
import { toConversation, toMessage } from "./rows.ts";
import { inScope } from "./scope.ts";

type Row = Prisma.ConversationGetPayload<{ include: { lanes: true } }>;

export function createConversationStore(prisma: PrismaClient): ConversationStore {
  return {
    list: (filter, page, scope) => list(prisma, filter, page, scope),
    get: (id, scope) => get(prisma, id, scope),
    updateContact: async (id, contact, scope, by) => {
      const isThere = await updateContact(prisma, id, contact, scope, by);
      return isThere ? get(prisma, id, scope) : null;
    },
    messages: (conversationId, page, scope) => messages(prisma, conversationId, page, scope),
    message: async (id, scope) => {
      const where = { id, accountId: inScope(scope) };
      const row = await prisma.message.findUnique({ where, include: { tries: { orderBy: { number: "asc" } } } });
      return row === null ? null : { message: toMessage(row), attempts: row.tries.map(toAttempt) };
    },
    hasInbound: async (accountId) => {
      const where = { accountId, lastInboundAt: { not: null } };
      return (await prisma.conversation.findFirst({ where, select: { id: true } })) !== null;
    },
  };
}

async function get(prisma: PrismaClient, id: string, scope: Scope): Promise<ConversationOverview | null> {
  const row = await prisma.conversation.findUnique({ where: { id, accountId: inScope(scope) }, include: { lanes: true } });
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

/** Latest activity first. The cursor names the last row shown, so what is inserted meanwhile moves nothing. */
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
    orderBy: [{ updatedAt: "desc" }, { id: "desc" }],
    take: limit + 1,
    include: { lanes: true },
  });
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return {
    items: await toOverviews(prisma, items),
    nextCursor: last === undefined ? null : writeCursor([last.updatedAt.toISOString(), last.id]),
  };
}

function toWhere({ accountId, status, agentName, q, updatedSince }: ConversationFilter): Prisma.ConversationWhereInput {
  return {
    ...(accountId === undefined ? {} : { accountId }),
    ...(status === undefined ? {} : { status }),
    ...(agentName === undefined ? {} : { agentName }),
    ...(updatedSince === undefined ? {} : { updatedAt: { gte: updatedSince } }),
    ...(q === undefined ? {} : { OR: SEARCHED.map((field) => ({ [field]: { contains: escapeLike(q), mode: "insensitive" } })) }),
  };
}

const SEARCHED = ["openId", "nickname", "number", "email", "agentName"] as const;

/** Prisma hands `contains` to LIKE as it is. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}

function isAfter([updatedAt, id]: readonly [string, string]): Prisma.ConversationWhereInput {
  const at = new Date(updatedAt);
  return { OR: [{ updatedAt: { lt: at } }, { updatedAt: at, id: { lt: id } }] };
}

async function toOverviews(prisma: PrismaClient, rows: Row[]): Promise<ConversationOverview[]> {
  const counting = prisma.message.groupBy({
    by: ["conversationId", "state"],
    where: {
      conversationId: { in: rows.map(({ id }) => id) },
      errorCode: { not: null },
      state: { in: ["held", "dead", "failed", "uncertain"] },
    },
    _count: true,
  });
  const [counts, now] = await Promise.all([counting, readDatabaseNow(prisma)]);
  const countOf = (id: string, state: string) => counts.find((count) => count.conversationId === id && count.state === state)?._count ?? 0;
  return rows.map((row) => {
    const pendingIn = (direction: string) => row.lanes.find((lane) => lane.direction === direction)?.pending ?? 0;
    return {
      ...toConversation(row),
      passiveOpen: row.lanes.some((lane) => lane.callbacksOpenUntil.some((until) => until > now)),
      pending: {
        toDesk: pendingIn("inbound"),
        toCustomer: pendingIn("outbound"),
        held: countOf(row.id, "held"),
        dead: countOf(row.id, "dead"),
        failed: countOf(row.id, "failed"),
        uncertain: countOf(row.id, "uncertain"),
      },
    };
  });
}

async function messages(prisma: PrismaClient, conversationId: string, { limit, cursor }: PageRequest, scope: Scope) {
  const after = cursor === undefined ? undefined : readCursor(cursor, /^\d{1,18}$/);
  if (after === null) return "bad-cursor";
  const rows = await prisma.message.findMany({
    where: { conversationId, accountId: inScope(scope), ...(after === undefined ? {} : { seq: { lt: BigInt(after[1]) } }) },
    orderBy: { seq: "desc" },
    take: limit + 1,
  });
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return {
    items: items.map(toMessage),
    nextCursor: last === undefined ? null : writeCursor([last.createdAt.toISOString(), String(last.seq)]),
  };
}

function toAttempt(row: { number: number; way: string | null; startedAt: Date; durationMs: number } & Omit<Attempt, "way">): Attempt {
  const { number, way, startedAt, durationMs, outcome, code, detail } = row;
  return { number, way: way as Way | null, startedAt, durationMs, outcome, code, detail };
}
