import { randomBytes } from "node:crypto";
import pg from "pg";
import { ACCOUNT, toOpenId } from "../lib/account.ts";
import { fromDist } from "../lib/from-dist.ts";
import { toText } from "../lib/requests.ts";
import { serve } from "../lib/serve.ts";

const { toConversationId } = await fromDist<typeof import("../../src/domain/ids.ts")>("domain/ids.js");

export interface RowsLoad {
  url: string;
  first: number;
  count: number;
  contacts: number;
  batch: number;
  connections: number;
  secondsMax: number;
}

serve({ insert });

/**
 * Nothing but the database: the rows that the gateway keeps of an accepted message, in batches, through bare `pg` with a prepared
 * statement. No HTTP, no codecs, no look for repetitions.
 */
async function insert({
  url,
  first,
  count,
  contacts,
  batch,
  connections,
  secondsMax,
}: RowsLoad): Promise<{ rows: number; seconds: number }> {
  const pool = new pg.Pool({ connectionString: url, max: connections });
  const until = performance.now() + secondsMax * 1_000;
  let next = first;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < first + count && performance.now() < until) {
        const numbers = Array.from({ length: Math.min(batch, first + count - next) }, (_, index) => next + index);
        next += numbers.length;
        await pool.query({ name: "insert", text: INSERT, values: toColumns(numbers, contacts) });
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  await pool.end();
  return { rows: next - first, seconds };
}

function toColumns(numbers: number[], contacts: number): string[][] {
  const openIds = numbers.map((number) => toOpenId(number % contacts));
  const texts = numbers.map(toText);
  return [
    numbers.map(() => `ms_${randomBytes(16).toString("hex")}`),
    openIds.map((openId) => toConversationId(ACCOUNT.id, openId)),
    openIds,
    numbers.map(() => randomBytes(32).toString("base64url")),
    texts,
    texts.map((text) => JSON.stringify({ type: "text", text })),
  ];
}

const INSERT = `
  WITH input AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
      WITH ORDINALITY AS t (id, conversation_id, open_id, dedupe_key, text, content, position)
  ), conversation AS (
    INSERT INTO conversations (id, account_id, open_id, last_inbound_at)
    SELECT DISTINCT conversation_id, '${ACCOUNT.id}', open_id, now() FROM input ORDER BY conversation_id
    ON CONFLICT (id) DO UPDATE SET last_inbound_at = now(), updated_at = now()
  ), message AS (
    INSERT INTO messages (id, account_id, conversation_id, direction, origin, dedupe_key, vendor_message_id, type, text, content, state, sent_at)
    SELECT id, '${ACCOUNT.id}', conversation_id, 'inbound', 'contact', dedupe_key, '1', 'text', text, content::jsonb, 'received', now()
    FROM input ORDER BY position
  ), lane AS (
    INSERT INTO outbox_lanes AS l (conversation_id, account_id, direction, due_at, pending)
    SELECT conversation_id, '${ACCOUNT.id}', direction, CASE direction WHEN 'inbound' THEN now() END, CASE direction WHEN 'inbound' THEN count(*) ELSE 0 END
    FROM input, (VALUES ('inbound'), ('outbound')) d (direction) GROUP BY conversation_id, direction ORDER BY conversation_id, direction
    ON CONFLICT (conversation_id, direction) DO UPDATE SET pending = l.pending + excluded.pending, due_at = COALESCE(l.due_at, excluded.due_at)
  )
  INSERT INTO outbox_entries (conversation_id, direction, message_id)
  SELECT conversation_id, 'inbound', id FROM input ORDER BY position`;
