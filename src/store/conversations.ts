import type { ConversationOverview } from "../domain/conversation.ts";
import type { Attempt, Way } from "../domain/message.ts";
import type { ConversationFilter, ConversationStore, Page } from "../domain/store.ts";
import type { Prisma, PrismaClient } from "../generated/prisma/client.ts";
import { toConversation, toMessage } from "./rows.ts";

type Row = Prisma.ConversationGetPayload<{ include: { lanes: true } }>;

export function createConversationStore(prisma: PrismaClient): ConversationStore {
  return {
    list: (filter, page) => list(prisma, filter, page),
    get: (id) => get(prisma, id),
    updateContact: async (id, contact) => {
      const { count } = await prisma.conversation.updateMany({ where: { id }, data: contact });
      return count === 0 ? null : get(prisma, id);
    },
    messages: (conversationId, page) => messages(prisma, conversationId, page),
    message: async (id) => {
      const row = await prisma.message.findUnique({ where: { id }, include: { tries: { orderBy: { id: "asc" } } } });
      return row === null ? null : { message: toMessage(row), attempts: row.tries.map(toAttempt) };
    },
  };
}

async function get(prisma: PrismaClient, id: string): Promise<ConversationOverview | null> {
  const row = await prisma.conversation.findUnique({ where: { id }, include: { lanes: true } });
  if (row === null) return null;
  const [overview] = await toOverviews(prisma, [row]);
  return overview ?? null;
}

/** Latest activity first. The cursor names the last row shown, so what is inserted meanwhile moves nothing. */
async function list(
  prisma: PrismaClient,
  filter: ConversationFilter,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<Page<ConversationOverview> | "bad-cursor"> {
  const after = cursor === undefined ? undefined : readCursor(cursor, /^cv_[0-9a-f]+$/);
  if (after === null) return "bad-cursor";
  const rows = await prisma.conversation.findMany({
    where: { AND: [toWhere(filter), after === undefined ? {} : isAfter(after)] },
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
  const counts = await prisma.message.groupBy({
    by: ["conversationId", "state"],
    where: { conversationId: { in: rows.map(({ id }) => id) }, state: { in: ["held", "dead"] } },
    _count: true,
  });
  const countOf = (id: string, state: string) => counts.find((count) => count.conversationId === id && count.state === state)?._count ?? 0;
  const now = Date.now();
  return rows.map((row) => {
    const pendingIn = (direction: string) => row.lanes.find((lane) => lane.direction === direction)?.pending ?? 0;
    return {
      ...toConversation(row),
      passiveOpen: row.lanes.some((lane) => lane.callbacksOpenUntil.some((until) => until.getTime() > now)),
      pending: {
        toDesk: pendingIn("inbound"),
        toCustomer: pendingIn("outbound"),
        held: countOf(row.id, "held"),
        dead: countOf(row.id, "dead"),
      },
    };
  });
}

async function messages(prisma: PrismaClient, conversationId: string, { limit, cursor }: { limit: number; cursor?: string }) {
  const after = cursor === undefined ? undefined : readCursor(cursor, /^\d{1,18}$/);
  if (after === null) return "bad-cursor";
  const rows = await prisma.message.findMany({
    where: { conversationId, ...(after === undefined ? {} : { seq: { lt: BigInt(after[1]) } }) },
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

/** A time and an id, opaque to the outside. */
function writeCursor(parts: readonly [string, string]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Null when it is not one of ours, or not one of this list. */
function readCursor(cursor: string, id: RegExp): readonly [string, string] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (!Array.isArray(parts) || parts.length !== 2) return null;
    const [at, last] = parts;
    const isOurs = typeof at === "string" && MOMENT.test(at) && !Number.isNaN(Date.parse(at)) && typeof last === "string" && id.test(last);
    return isOurs ? [at, last] : null;
  } catch {
    return null;
  }
}
