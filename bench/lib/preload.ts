import { ACCOUNT } from "./account.ts";
import { createAccount, startGateway } from "./gateway.ts";
import { query, type Server } from "./postgres.ts";

/** An account whose desk never answers. */
export const AWAY = "away";

/** A database with the gateway's tables, the account of the load, and the one whose desk is away. */
export async function prepareDatabase(server: Server): Promise<string> {
  const databaseUrl = await server.createDatabase();
  const gateway = await startGateway({ databaseUrl, role: "http" });
  await createAccount(gateway);
  await createAccount(gateway, { id: AWAY });
  await gateway.stop();
  return databaseUrl;
}

export interface Preload {
  messages: number;
  contacts: number;
  /**
   * Settled messages with an attempt each; or messages that wait in their lanes, which are due now because their account's desk is
   * away; or that wait behind a pause of an hour.
   */
  as: "forwarded" | "away" | "blocked";
  /** Keeps the contacts of one preload apart from those of another and of the load. */
  prefix: string;
}

/** Stores messages as if they had come one by one: the same rows, by the server itself. */
export async function preload(url: string, { messages, contacts, as, prefix }: Preload): Promise<void> {
  const account = as === "away" ? AWAY : ACCOUNT.id;
  const isWaiting = as !== "forwarded";
  await query(url, CONVERSATIONS, [prefix, account, contacts]);
  await query(url, LANES, [prefix, account, contacts, isWaiting ? messages : 0, as === "away" ? 0 : 3_600]);
  await query(url, MESSAGES, [prefix, account, contacts, messages, isWaiting ? "received" : "forwarded"]);
  await query(url, isWaiting ? ENTRIES : ATTEMPTS, isWaiting ? [prefix, account, contacts, messages] : [prefix, messages]);
  await query(url, "VACUUM ANALYZE");
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
    jsonb_build_object('type', 'text', 'text', t), $5::text, ($5::text = 'forwarded')::int, now(), now(), CASE $5::text WHEN 'forwarded' THEN now() END
  FROM generate_series(0, $4::int - 1) n, LATERAL (SELECT '#' || n || ' Hello, is my parcel on its way? 你好，我的包裹到哪里了？' AS t) text`;

const ATTEMPTS = `
  INSERT INTO attempts (message_id, number, started_at, duration_ms, outcome)
  SELECT ${MESSAGE_ID}, 1, now(), 3, 'done' FROM generate_series(0, $2::int - 1) n`;

const ENTRIES = `
  INSERT INTO outbox_entries (conversation_id, direction, message_id)
  SELECT ${CONVERSATION_ID("n % $3::int")}, 'inbound', ${MESSAGE_ID} FROM generate_series(0, $4::int - 1) n`;
