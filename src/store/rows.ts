import type { Content } from "../domain/content.ts";
import type { Conversation, DeskStatus } from "../domain/conversation.ts";
import type { Direction, Message, MessageState, Origin, Way } from "../domain/message.ts";

/**
 * Rows as the statements of this folder select them. What is in a column of ours was written by us, through the types of the
 * domain: this file is the one place that says so.
 */
export interface MessageRow {
  id: string;
  accountId: string;
  conversationId: string;
  direction: string;
  origin: string;
  vendorMessageId: string | null;
  dedupeKey: string | null;
  type: string;
  text: string;
  content: unknown;
  state: string;
  way: string | null;
  attempts: number;
  repetitions: number;
  error: string | null;
  errorCode: string | null;
  sentAt: Date;
  createdAt: Date;
  settledAt: Date | null;
}

export interface ConversationRow {
  id: string;
  accountId: string;
  openId: string;
  status: string;
  turn: number | null;
  agentName: string | null;
  notice: string | null;
  statusAt: Date | null;
  nickname: string | null;
  number: string | null;
  email: string | null;
  lastInboundAt: Date | null;
  lastReplyAt: Date | null;
  windowClosesAt: Date | null;
  repliesRemaining: number | null;
  outageToldAt: Date | null;
  addressedApp: string | null;
}

export function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    accountId: row.accountId,
    conversationId: row.conversationId,
    direction: row.direction as Direction,
    origin: row.origin as Origin,
    vendorMessageId: row.vendorMessageId,
    dedupeKey: row.dedupeKey,
    type: row.type as Content["type"],
    text: row.text,
    content: row.content as Content,
    state: row.state as MessageState,
    way: row.way as Way | null,
    attempts: row.attempts,
    repetitions: row.repetitions,
    error: row.error,
    errorCode: row.errorCode,
    sentAt: row.sentAt,
    createdAt: row.createdAt,
    settledAt: row.settledAt,
  };
}

export function toConversation(row: ConversationRow): Conversation {
  return {
    id: row.id,
    accountId: row.accountId,
    openId: row.openId,
    status: row.status as DeskStatus,
    turn: row.turn,
    agentName: row.agentName,
    notice: row.notice,
    statusAt: row.statusAt,
    contact: { nickname: row.nickname, number: row.number, email: row.email },
    lastInboundAt: row.lastInboundAt,
    lastReplyAt: row.lastReplyAt,
    windowClosesAt: row.windowClosesAt,
    repliesRemaining: row.repliesRemaining,
    outageToldAt: row.outageToldAt,
    addressedApp: row.addressedApp,
  };
}

const CONVERSATION = [
  ...["id", "account_id", "open_id", "status", "turn", "agent_name", "notice", "status_at", "nickname", "number", "email"],
  ...["last_inbound_at", "last_reply_at", "window_closes_at", "replies_remaining", "outage_told_at", "addressed_app"],
];
const MESSAGE = [
  ...["id", "account_id", "conversation_id", "direction", "origin", "vendor_message_id", "dedupe_key", "type", "text"],
  ...["content", "state", "way", "attempts", "repetitions", "error", "error_code", "sent_at", "created_at", "settled_at"],
];

/** Each column's name in the joined row, and the domain's spelling of it: computed once, since each claimed message is read through it. */
const SPELLINGS = {
  c_: CONVERSATION.map((name) => [`c_${name}`, toCamelCase(name)] as const),
  m_: MESSAGE.map((name) => [`m_${name}`, toCamelCase(name)] as const),
};

/** The columns of `conversations c`, and of `messages m`, under names that do not meet. */
export const CONVERSATION_COLUMNS = CONVERSATION.map((name) => `c.${name} AS c_${name}`).join(", ");
export const MESSAGE_COLUMNS = MESSAGE.map((name) => `m.${name} AS m_${name}`).join(", ");

/** Picks the columns with this prefix out of a joined row and gives them the domain's spelling. */
export function pick<T>(row: Record<string, unknown>, prefix: keyof typeof SPELLINGS): T {
  const picked: Record<string, unknown> = {};
  for (const [name, spelling] of SPELLINGS[prefix]) picked[spelling] = row[name];
  return picked as T;
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
