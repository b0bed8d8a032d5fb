import { ACCOUNT } from "./account.ts";

/**
 * The benchmarks' SQL that names the gateway's tables. It is all in this file, so that a change of the schema is a change here and, for
 * the store's own interface, in processes/store.ts.
 */
export const COUNT_INBOUND = "SELECT count(*) FROM messages WHERE direction = 'inbound'";
export const COUNT_IN_STATE = "SELECT count(*) FROM messages WHERE state = $1";
export const COUNT_QUEUED = "SELECT count(*) FROM outbox_entries";
export const FIND_QUEUED = "SELECT FROM outbox_entries LIMIT 1";

/** Updated for each message; whether these updates are HOT is counted. */
export const HOT_TABLES = ["conversations", "messages"];
/** They keep a message; their size is measured. */
export const STORED_TABLES = ["messages", "attempts"];

/** The rows of accepted messages as `processes/rows.ts` inserts them: $1 … $6 are arrays, one value per message. */
export const INSERT_ACCEPTED = `
  WITH input AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
      WITH ORDINALITY AS t (id, conversation_id, open_id, dedupe_key, text, content, position)
  ), conversation AS (
    INSERT INTO conversations (id, account_id, open_id, last_inbound_at)
    SELECT DISTINCT conversation_id, '${ACCOUNT.id}', open_id, now() FROM input ORDER BY conversation_id
    ON CONFLICT (id) DO UPDATE SET last_inbound_at = now(), updated_at = now()
  ), message AS (
    INSERT INTO messages (id, account_id, conversation_id, direction, origin, dedupe_key, vendor_message_id, type, text, content, state,
      sent_at)
    SELECT id, '${ACCOUNT.id}', conversation_id, 'inbound', 'contact', dedupe_key, '1', 'text', text, content::jsonb, 'received', now()
    FROM input ORDER BY position
  ), lane AS (
    INSERT INTO outbox_lanes AS l (conversation_id, account_id, direction, due_at, pending)
    SELECT conversation_id, '${ACCOUNT.id}', direction,
      CASE direction WHEN 'inbound' THEN now() END,
      CASE direction WHEN 'inbound' THEN count(*) ELSE 0 END
    FROM input, (VALUES ('inbound'), ('outbound')) d (direction) GROUP BY conversation_id, direction ORDER BY conversation_id, direction
    ON CONFLICT (conversation_id, direction)
      DO UPDATE SET pending = l.pending + excluded.pending, due_at = COALESCE(l.due_at, excluded.due_at)
  )
  INSERT INTO outbox_entries (conversation_id, direction, message_id)
  SELECT conversation_id, 'inbound', id FROM input ORDER BY position`;

export interface Preload {
  messages: number;
  contacts: number;
  /** Settled messages with an attempt each; or messages that are due now, since their account's desk is away; or due in an hour. */
  as: "forwarded" | "away" | "blocked";
  /** Keeps the contacts of one preload apart from those of another and of the load. */
  prefix: string;
}

const BLOCKED_SECONDS = 3_600;

/** The statements that store messages as if they had come one by one: the same rows, made by the server itself. */
export function toPreloadStatements({ messages, contacts, as, prefix }: Preload, account: string): [sql: string, values: unknown[]][] {
  const isWaiting = as !== "forwarded";
  const dueInSeconds = as === "away" ? 0 : BLOCKED_SECONDS;
  return [
    [CONVERSATIONS, [prefix, account, contacts]],
    [LANES, [prefix, account, contacts, isWaiting ? messages : 0, dueInSeconds]],
    [MESSAGES, [prefix, account, contacts, messages, isWaiting ? "received" : "forwarded"]],
    isWaiting ? [ENTRIES, [prefix, account, contacts, messages]] : [ATTEMPTS, [prefix, messages]],
  ];
}

/** As `toOpenId`, `toConversationId` and `newMessageId`, but made by the server. $1 is the prefix, $2 the account. */
const OPEN_ID = (number: string) => `$1::text || lpad((${number})::text, 22, '0')`;
const CONVERSATION_ID = (number: string) =>
  `'cv_' || left(encode(sha256(convert_to($2::text, 'UTF8') || '\\x00'::bytea || convert_to(${OPEN_ID(number)}, 'UTF8')), 'hex'), 32)`;
const MESSAGE_ID = "'ms_' || $1::text || lpad(n::text, 27, '0')";

const CONVERSATIONS = `
  INSERT INTO conversations (id, account_id, open_id, status, turn, status_at, last_inbound_at, window_closes_at, replies_remaining)
  SELECT ${CONVERSATION_ID("n")}, $2::text, ${OPEN_ID("n")}, 'queueing', 2, now(), now(), now() + interval '2 days', 5
  FROM generate_series(0, $3::int - 1) n`;

const LANES = `
  INSERT INTO outbox_lanes (conversation_id, account_id, direction, due_at, pending)
  SELECT ${CONVERSATION_ID("n")}, $2::text, direction,
    CASE WHEN $4::int > 0 AND direction = 'inbound' THEN now() + $5::int * interval '1 second' END,
    CASE direction WHEN 'inbound' THEN $4::int / $3::int ELSE 0 END
  FROM generate_series(0, $3::int - 1) n, (VALUES ('inbound'), ('outbound')) d (direction)`;

const MESSAGES = `
  INSERT INTO messages (id, account_id, conversation_id, direction, origin, dedupe_key, vendor_message_id, type, text, content, state,
    attempts, sent_at, created_at, settled_at)
  SELECT ${MESSAGE_ID}, $2::text, ${CONVERSATION_ID("n % $3::int")}, 'inbound', 'contact',
    encode(sha256(convert_to($1::text || n, 'UTF8')), 'base64'), (24000000000000000 + n)::text, 'text', t,
    jsonb_build_object('type', 'text', 'text', t), $5::text, ($5::text = 'forwarded')::int, now(), now(),
    CASE $5::text WHEN 'forwarded' THEN now() END
  FROM generate_series(0, $4::int - 1) n, LATERAL (SELECT '#' || n || ' Hello, is my parcel on its way? 你好，我的包裹到哪里了？' AS t) text`;

const ATTEMPTS = `
  INSERT INTO attempts (message_id, number, started_at, duration_ms, outcome)
  SELECT ${MESSAGE_ID}, 1, now(), 3, 'done' FROM generate_series(0, $2::int - 1) n`;

const ENTRIES = `
  INSERT INTO outbox_entries (conversation_id, direction, message_id)
  SELECT ${CONVERSATION_ID("n % $3::int")}, 'inbound', ${MESSAGE_ID} FROM generate_series(0, $4::int - 1) n`;
