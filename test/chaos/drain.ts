import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Traffic } from "./traffic.ts";

const LOOK_MS = 250;
/** Leases of 30 s, a circuit breaker's minute and a half, a platform's minute of rest. */
const DRAIN_MS_MAX = 240_000;

/**
 * Waits until no work is left. Customers for whom something is held write once more, as often as it takes.
 * @returns whether it came to that within the time
 */
export async function drain(databaseUrl: string, traffic: Traffic): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (const until = Date.now() + DRAIN_MS_MAX; Date.now() < until; await sleep(LOOK_MS)) {
      await traffic.agentsDone();
      const { rows } = await client.query<{ open_id: string; held: boolean }>(LEFT);
      if (rows.length === 0) return true;
      await Promise.all(rows.flatMap(({ open_id, held }) => (held ? [traffic.writeAgain(open_id)] : [])));
    }
    return false;
  } finally {
    await client.end();
  }
}

/** Lanes with work in them, and whether it waits for the customer. */
const LEFT = `
  SELECT c.open_id, l.direction = 'outbound' AND l.due_at IS NULL AND l.pending > 0 AS held
  FROM outbox_lanes l JOIN conversations c ON c.id = l.conversation_id
  WHERE l.pending > 0 OR l.holder IS NOT NULL OR EXISTS (
    SELECT FROM outbox_entries e WHERE e.conversation_id = l.conversation_id AND e.direction = l.direction)`;
