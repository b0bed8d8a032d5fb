import { toReadableText } from "../../domain/content.ts";
import type { Direction, Message, MessageState, Way } from "../../domain/message.ts";
import type { Claim, QueuedMessage } from "../../domain/queue.ts";
import type { Columns } from "../database/batch-statement.ts";
import { CONVERSATION_COLUMNS, type ConversationRow, MESSAGE_COLUMNS, type MessageRow, pick, toConversation, toMessage } from "../rows.ts";

/**
 * A moment up to this is due. Moments are kept to the millisecond and rounded, so what was made due just now may stand half a
 * millisecond ahead; missed, it would wait for the next poll.
 */
export const SOON = "now() + interval '1 millisecond'";

/** The end of the last open callback of `conversations c`; null when none is open. */
export const LAST_CALLBACK = "(SELECT max(u) FROM unnest(c.open_callbacks) u)";

/** One of each: the direction is part of the columns' names. */
export function eachDirection<T>(of: (direction: Direction) => T): Record<Direction, T> {
  return { inbound: of("inbound"), outbound: of("outbound") };
}

/** The claim that a statement acts on. */
export const CLAIM_COLUMNS = {
  conversation_id: ["text", ({ claim }) => claim.conversationId],
  holder: ["text", ({ claim }) => claim.holder],
  claim_number: ["int8", ({ claim }) => claim.claimNumber],
} as const satisfies Columns<{ claim: Pick<Claim, "conversationId" | "holder"> & Partial<Claim> }>;

/**
 * The rows `g` of a batch with their conversations `c`, which are locked. The whole store locks conversations in the order of their ids, so
 * that two statements cannot wait for each other. LATERAL with LIMIT finds each by its index, and the condition tells the planner that few
 * are left to update, although the plan may have been made when the tables were empty.
 */
export const locked = (given: string): string => `
  (SELECT * FROM ${given} g ORDER BY conversation_id) g
  JOIN LATERAL (SELECT * FROM conversations WHERE id = g.conversation_id LIMIT 1 FOR NO KEY UPDATE) c ON c.id = g.conversation_id`;

/** The fence: the claim still holds, and the message at `g.place` is the head. */
export const fence = (direction: Direction): string =>
  `c.${direction}_holder = g.holder AND c.${direction}_claim = g.claim_number AND c.${direction}_done = g.place - 1`;

/** What is read of a queue, from the conversation's row `c`. */
export const queueColumns = (direction: Direction): string => `
  c.id, '${direction}' AS direction, c.${direction}_holder AS holder, c.${direction}_claim::text AS claim_number, c.${direction}_done::text AS done,
  c.${direction}_failures AS failures, now() AS claimed_at, ${direction === "outbound" ? OUTBOUND : ""} ${CONVERSATION_COLUMNS}`;

const OUTBOUND = `c.outbound_progress AS progress, c.outbound_begun AS begun, c.outbound_begun_at AS begun_at,
  c.outbound_begun_way AS begun_way, c.outbound_freed_at AS freed_at, c.outbound_held_code IS NOT NULL AS is_held,`;

/** What is read of a message `m`. */
export const QUEUED_MESSAGE = `m.place::text AS place, COALESCE(m.requeued_at, m.created_at) AS queued_at, ${MESSAGE_COLUMNS}`;

/**
 * Joins the first messages behind the cursor of each queue `q`. A queue keeps a row when its messages are not visible yet. Looked up by
 * LATERAL, not joined, so that even a plan made on empty tables uses the index.
 */
export const messagesBehind = (direction: Direction, messagesMax: string): string => `
  LEFT JOIN LATERAL (
    SELECT * FROM messages
    WHERE conversation_id = q.id AND direction = '${direction}' AND place > q.done::bigint ORDER BY place LIMIT ${messagesMax}
  ) m ON true`;

export interface QueueRow extends Record<string, unknown> {
  id: string;
  direction: Direction;
  holder: string;
  claim_number: string;
  done: string;
  failures: number;
  claimed_at: Date;
  // Of an outbound queue only.
  progress?: number;
  begun?: number;
  begun_at?: Date | null;
  begun_way?: string | null;
  freed_at?: Date | null;
  is_held?: boolean;
}

const MOMENTS = [
  "claimed_at",
  "begun_at",
  "freed_at",
  "c_status_at",
  "c_last_inbound_at",
  "c_last_reply_at",
  "c_window_closes_at",
  "c_outage_told_at",
];

/** A queue that a statement returns as one JSON value: reading its columns one by one took a sixth of the time of a stored callback. */
export function toQueueRow(json: Record<string, unknown>): QueueRow {
  for (const name of MOMENTS) if (typeof json[name] === "string") json[name] = new Date(json[name]);
  return json as QueueRow;
}

/** A claimed queue with one of its messages; without one, `place` is null. */
export interface ClaimRow extends QueueRow {
  position: number;
  paused_until: Date | null;
  place: string | null;
  queued_at: Date;
}

export function toClaim(row: QueueRow, messages: QueuedMessage[], pausedUntil: Date | null = null): Claim {
  return {
    conversationId: row.id,
    direction: row.direction,
    holder: row.holder,
    claimNumber: row.claim_number,
    pausedUntil,
    messages,
    conversation: toConversation(pick<ConversationRow>(row, "c_")),
    claimedAt: row.claimed_at,
  };
}

/** One claim for each queue, its messages in the order of the rows. */
export function toClaims(rows: readonly ClaimRow[]): Claim[] {
  const claims = new Map<string, Claim>();
  for (const row of rows) {
    const claim = claims.get(row.id) ?? toClaim(row, [], row.paused_until);
    claims.set(row.id, claim);
    if (row.place !== null) claim.messages.push(toQueuedMessage(row));
  }
  return [...claims.values()];
}

type NewMessage = Pick<
  Message,
  "id" | "accountId" | "conversationId" | "direction" | "origin" | "vendorMessageId" | "dedupeKey" | "content" | "sentAt" | "createdAt"
>;

/** A message that was just stored and claimed, as a claim would read it. */
export function toNewMessage({ id, content, ...stored }: NewMessage, place: number, ageMs: number): QueuedMessage {
  const { accountId, conversationId, direction, origin, vendorMessageId, dedupeKey, sentAt, createdAt } = stored;
  const state = direction === "inbound" ? "received" : "queued";
  const facts = { way: null, attempts: 0, repetitions: 0, error: null, errorCode: null, settledAt: null };
  const said = { type: content.type, text: toReadableText(content), content };
  const message = {
    id,
    accountId,
    conversationId,
    direction,
    origin,
    vendorMessageId,
    dedupeKey,
    sentAt,
    createdAt,
    state,
    ...said,
    ...facts,
  } as const;
  return { place, message, failures: 0, progress: 0, ageMs, begun: null };
}

/** Only the head has a state; it stands with the queue. */
export function toQueuedMessage(row: ClaimRow): QueuedMessage {
  const place = Number(row.place);
  const fromHead = place - Number(row.done);
  const queuedAtMs = Math.max(row.queued_at.getTime(), row.freed_at?.getTime() ?? 0);
  const failures = fromHead === 1 ? row.failures : 0;
  const message = pick<MessageRow>(row, "m_");
  return {
    place,
    message: toMessage({ ...message, state: toState(row, failures) }),
    failures,
    progress: fromHead === 1 ? (row.progress ?? 0) : 0,
    ageMs: row.claimed_at.getTime() - queuedAtMs,
    begun: row.begun_at && fromHead <= (row.begun ?? 0) ? { at: row.begun_at, way: row.begun_way as Way } : null,
  };
}

/** As the view `message_states` has it. */
function toState({ direction, is_held }: QueueRow, failures: number): MessageState {
  if (is_held) return "held";
  if (failures > 0) return "retrying";
  return direction === "inbound" ? "received" : "queued";
}
