import { ACCOUNT } from "./account.ts";

/**
 * The benchmarks' SQL that names the gateway's tables. It is all in this file, so that a change of the schema is a change here and, for
 * the store's own interface, in processes/store.ts.
 */
export const COUNT_INBOUND = "SELECT count(*) FROM messages WHERE direction = 'inbound'";
export const COUNT_IN_STATE = "SELECT count(*) FROM messages WHERE state = $1";
export const COUNT_QUEUED =
  "SELECT COALESCE(sum(inbound_last - inbound_done + outbound_last - outbound_done), 0)::bigint AS count FROM conversations";
/** Reads conversations that the load has just written: no index holds a queue that is claimed in memory. */
export const FIND_QUEUED = "SELECT FROM conversations WHERE inbound_last > inbound_done OR outbound_last > outbound_done LIMIT 1";

/** Updated for each message; whether these updates are HOT is counted. */
export const HOT_TABLES = ["conversations", "messages"];
/** They keep a message; their size is measured. */
export const STORED_TABLES = ["messages", "attempts"];

/** The rows of accepted messages as `processes/rows.ts` inserts them: $1 … $6 are arrays, one value per message. */
export const INSERT_ACCEPTED = `
  WITH input AS (
    SELECT *, row_number() OVER (PARTITION BY conversation_id ORDER BY position) AS nth
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
      WITH ORDINALITY AS t (id, conversation_id, open_id, dedupe_key, text, content, position)
  ), conversation AS (
    INSERT INTO conversations AS c (id, account_id, open_id, last_inbound_at, inbound_last, inbound_due_at)
    SELECT conversation_id, '${ACCOUNT.id}', open_id, now(), count(*), now() FROM input GROUP BY conversation_id, open_id ORDER BY conversation_id
    ON CONFLICT (id) DO UPDATE SET last_inbound_at = now(), updated_at = now(), inbound_last = c.inbound_last + excluded.inbound_last,
      inbound_due_at = COALESCE(c.inbound_due_at, excluded.inbound_due_at)
    RETURNING id, inbound_last
  )
  INSERT INTO messages (id, account_id, conversation_id, direction, origin, place, dedupe_key, vendor_message_id, type, text, content, sent_at)
  SELECT input.id, '${ACCOUNT.id}', conversation_id, 'inbound', 'contact',
    conversation.inbound_last - count(*) OVER (PARTITION BY conversation_id) + nth, dedupe_key, '1', 'text', text, content::jsonb, now()
  FROM input JOIN conversation ON conversation.id = input.conversation_id ORDER BY position`;

export interface Preload {
  messages: number;
  contacts: number;
  /** Settled messages; or messages that are due now, since their account's desk is away; or due in an hour. */
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
    [CONVERSATIONS, [prefix, account, contacts, messages / contacts, isWaiting ? 0 : messages / contacts, isWaiting ? dueInSeconds : null]],
    [MESSAGES, [prefix, account, contacts, messages, isWaiting ? null : "forwarded"]],
  ];
}

/** As `toOpenId`, `toConversationId` and `newMessageId`, but made by the server. $1 is the prefix, $2 the account. */
const OPEN_ID = (number: string) => `$1::text || lpad((${number})::text, 22, '0')`;
const CONVERSATION_ID = (number: string) =>
  `'cv_' || left(encode(sha256(convert_to($2::text, 'UTF8') || '\\x00'::bytea || convert_to(${OPEN_ID(number)}, 'UTF8')), 'hex'), 32)`;
const MESSAGE_ID = "'ms_' || $1::text || lpad(n::text, 27, '0')";

const CONVERSATIONS = `
  INSERT INTO conversations (id, account_id, open_id, status, turn, status_at, last_inbound_at, window_closes_at, replies_remaining,
    inbound_last, inbound_done, inbound_due_at)
  SELECT ${CONVERSATION_ID("n")}, $2::text, ${OPEN_ID("n")}, 'queueing', 2, now(), now(), now() + interval '2 days', 5,
    $4::int, $5::int, now() + $6::int * interval '1 second'
  FROM generate_series(0, $3::int - 1) n`;

const MESSAGES = `
  INSERT INTO messages (id, account_id, conversation_id, direction, origin, place, dedupe_key, vendor_message_id, type, text, content, state,
    attempts, sent_at, created_at, tried_at, tried_ms, settled_at)
  SELECT ${MESSAGE_ID}, $2::text, ${CONVERSATION_ID("n % $3::int")}, 'inbound', 'contact', n / $3::int + 1,
    encode(sha256(convert_to($1::text || n, 'UTF8')), 'base64'), (24000000000000000 + n)::text, 'text', t,
    jsonb_build_object('type', 'text', 'text', t), $5::text, ($5::text IS NOT NULL)::int, now(), now(),
    CASE WHEN $5::text IS NOT NULL THEN now() END, CASE WHEN $5::text IS NOT NULL THEN 3 END, CASE WHEN $5::text IS NOT NULL THEN now() END
  FROM generate_series(0, $4::int - 1) n, LATERAL (SELECT '#' || n || ' Hello, is my parcel on its way? 你好，我的包裹到哪里了？' AS t) text`;
