import { randomBytes } from "node:crypto";
import pg from "pg";
import { ACCOUNT, toOpenId } from "../lib/account.ts";
import { fromDist } from "../lib/from-dist.ts";
import { toText } from "../lib/requests.ts";
import { serve } from "../lib/serve.ts";
import { INSERT_ACCEPTED } from "../lib/tables.ts";

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
        await pool.query({ name: "insert", text: INSERT_ACCEPTED, values: toColumns(numbers, contacts) });
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
