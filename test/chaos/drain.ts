import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Traffic } from "./traffic.ts";

const POLL_MS = 250;
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
    for (const until = Date.now() + DRAIN_MS_MAX; Date.now() < until; await sleep(POLL_MS)) {
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

/** Conversations with a queue that is not empty, or claimed, and whether it waits for the customer. */
const LEFT = `
  SELECT c.open_id, c.outbound_last > c.outbound_done AND c.outbound_due_at IS NULL AND c.outbound_holder IS NULL AS held
  FROM conversations c
  WHERE c.inbound_last > c.inbound_done OR c.outbound_last > c.outbound_done OR c.inbound_holder IS NOT NULL OR c.outbound_holder IS NOT NULL`;
