import type { Scope } from "../domain/api-key.ts";
import type { Attempt, Message, Way } from "../domain/message.ts";
import type { Page, PageRequest } from "../domain/store.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import type { Database } from "./database/database.ts";
import { MESSAGE_COLUMNS, type MessageRow, pick, toMessage } from "./rows.ts";

interface Row extends Record<string, unknown> {
  seq: string;
  tried_at: Date | null;
  tried_ms: number | null;
}

/** Newest first, in the order in which they were stored. */
export async function listMessages(
  database: Database,
  conversationId: string,
  { limit, cursor }: PageRequest,
  scope: Scope,
): Promise<Page<Message> | "bad-cursor"> {
  const after = cursor === undefined ? undefined : readCursor(cursor, /^\d{1,18}$/);
  if (after === null) return "bad-cursor";
  const rows = await database.query<Row>(
    `SELECT m.seq::text AS seq, ${MESSAGE_COLUMNS} FROM message_states m
     WHERE m.conversation_id = $1 AND ($2::text[] IS NULL OR m.account_id = ANY ($2::text[])) AND m.seq < $3::bigint
     ORDER BY m.seq DESC LIMIT $4::int`,
    [conversationId, scope === null ? null : [...scope], after === undefined ? SEQ_MAX : after[1], limit + 1],
  );
  const items = rows.slice(0, limit).map((row) => toMessage(pick<MessageRow>(row, "m_")));
  const [lastRow, last] = [rows[limit - 1], items.at(-1)];
  const hasMore = rows.length > limit && lastRow !== undefined && last !== undefined;
  return { items, nextCursor: hasMore ? writeCursor([last.createdAt.toISOString(), lastRow.seq]) : null };
}

const SEQ_MAX = "9223372036854775807";

export async function getMessage(database: Database, id: string, scope: Scope): Promise<{ message: Message; attempts: Attempt[] } | null> {
  const [row] = await database.query<Row>(
    `SELECT m.tried_at, m.tried_ms, ${MESSAGE_COLUMNS} FROM message_states m
     WHERE m.id = $1 AND ($2::text[] IS NULL OR m.account_id = ANY ($2::text[]))`,
    [id, scope === null ? null : [...scope]],
  );
  if (row === undefined) return null;
  const message = toMessage(pick<MessageRow>(row, "m_"));
  const stored = await database.prisma.attempt.findMany({ where: { messageId: id }, orderBy: { number: "asc" } });
  const attempts = stored.map(({ messageId: _, ...attempt }) => ({ ...attempt, way: attempt.way as Way | null }));
  return { message, attempts: [...attempts, ...toLastTry(message, row, attempts)] };
}

/** A try that simply succeeded has no row of its own: the message says it all. */
function toLastTry({ attempts: number, way }: Message, { tried_at, tried_ms }: Row, stored: readonly Attempt[]): Attempt[] {
  if (tried_at === null || stored.some((attempt) => attempt.number === number)) return [];
  return [{ number, way, startedAt: tried_at, durationMs: tried_ms ?? 0, outcome: "done", code: null, detail: null }];
}
