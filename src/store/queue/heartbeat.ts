import type { Direction } from "../../domain/message.ts";
import type { WorkerQueues } from "../../domain/store.ts";
import type { Database } from "../database/database.ts";
import { toDueAgain } from "./release.ts";

/** On the session of `/readyz`: it does not wait behind the statements that store messages. An embedded database has no other processes. */
export function beat({ proof, isExclusive }: Database): WorkerQueues["beat"] {
  return async (holder, deadAfterMs) => {
    if (isExclusive) return [];
    const rows = await proof.query(
      `WITH own AS (
         INSERT INTO worker_heartbeats (holder, seen_at) VALUES ($1, now()) ON CONFLICT (holder) DO UPDATE SET seen_at = now()
       )
       SELECT holder FROM worker_heartbeats WHERE holder <> $1 AND seen_at < now() - $2::int * interval '1 millisecond'`,
      [holder, deadAfterMs],
    );
    return rows.map((row) => String(row.holder));
  };
}

/** A dead holder's row is kept this long: a statement of it that was still under way may have claimed another queue. */
const KEPT_MINUTES = 2;

/** How far back active conversations are searched at first: longer than a claim in memory goes on without activity. */
const ACTIVE_MINUTES = 5;

/** A row that another statement is just writing is free a moment later. */
const RUNS_MAX = 10;

const IS_BEGUN = "(c.outbound_holder = ANY ($1::text[]) AND c.outbound_begun > 0)";

/** No index may hold what changes with each message: claims in memory are found among the active conversations, leased ones among the due. */
const isActive = (direction: Direction): string => `
  (c.${direction}_holder = ANY ($1::text[]) AND (c.active_at > now() - interval '${ACTIVE_MINUTES} minutes' OR c.${direction}_due_at IS NOT NULL))`;
const IS_ACTIVE = `(${isActive("inbound")} OR ${isActive("outbound")})`;
const IS_ANY = "(c.inbound_holder = ANY ($1::text[]) OR c.outbound_holder = ANY ($1::text[]))";

const freeWhere = (condition: string, lock: string): string => `
  UPDATE conversations c SET
    inbound_holder = CASE WHEN c.inbound_holder = ANY ($1::text[]) THEN NULL ELSE c.inbound_holder END,
    inbound_due_at = CASE WHEN c.inbound_holder = ANY ($1::text[]) THEN ${toDueAgain("inbound")} ELSE c.inbound_due_at END,
    outbound_holder = CASE WHEN c.outbound_holder = ANY ($1::text[]) AND NOT ${IS_BEGUN} THEN NULL ELSE c.outbound_holder END,
    outbound_due_at = CASE
      WHEN ${IS_BEGUN} THEN GREATEST(now(), c.outbound_begun_at + $2::int * interval '1 millisecond')
      WHEN c.outbound_holder = ANY ($1::text[]) THEN ${toDueAgain("outbound")} ELSE c.outbound_due_at END
  WHERE c.id IN (SELECT c.id FROM conversations c WHERE ${condition} ${lock})`;

/** Waits for no lock: it writes to many conversations, and others who lock several would wait for it in turn. */
const FREE_ACTIVE = freeWhere(IS_ACTIVE, "FOR NO KEY UPDATE SKIP LOCKED");
const ARE_LEFT = `SELECT FROM conversations c WHERE ${IS_ACTIVE} AND (c.inbound_holder = ANY ($1::text[]) OR NOT ${IS_BEGUN}) LIMIT 1`;

/** Leaves none: waits for locks, in the order of ids as everywhere. */
const FREE_ALL = freeWhere(IS_ANY, "ORDER BY c.id FOR NO KEY UPDATE");

/** @returns whether none is left */
async function freeActive(database: Database, holders: readonly string[], leaseMs: number): Promise<boolean> {
  for (let runs = 0; runs < RUNS_MAX; runs++) {
    await database.query(FREE_ACTIVE, [[...holders], leaseMs]);
    if ((await database.query(ARE_LEFT, [[...holders]])).length === 0) return true;
  }
  return false;
}

/**
 * All processes may have been away for longer than active conversations are searched back, and a locked row is skipped; so the whole table
 * is searched once before a holder's row goes, which is the last that tells of its claims.
 */
export function freeClaims(database: Database): WorkerQueues["freeClaims"] {
  return async (holders, leaseMs) => {
    await freeActive(database, holders, leaseMs);
    const old = await database.query<{ holder: string }>(
      `SELECT holder FROM worker_heartbeats WHERE holder = ANY ($1::text[]) AND seen_at < now() - interval '${KEPT_MINUTES} minutes'`,
      [[...holders]],
    );
    if (old.length === 0) return;
    const forgotten = old.map(({ holder }) => holder);
    await database.query(FREE_ALL, [forgotten, leaseMs]);
    await database.query("DELETE FROM worker_heartbeats WHERE holder = ANY ($1::text[])", [forgotten]);
  };
}

/** Where a claim is left, the row stays, so that another process frees it. */
export function retire(database: Database): WorkerQueues["retire"] {
  return async (holder, leaseMs) => {
    if (await freeActive(database, [holder], leaseMs)) await database.query("DELETE FROM worker_heartbeats WHERE holder = $1", [holder]);
  };
}

/** Also ends the reservations of callbacks that were open in a process that is no more. */
export function freeAllClaims(database: Database): WorkerQueues["freeAllClaims"] {
  return async () => {
    await database.query(
      `UPDATE conversations c SET open_callbacks = '{}',
         inbound_due_at = CASE WHEN c.inbound_holder IS NOT NULL THEN now() ELSE c.inbound_due_at END,
         outbound_due_at = CASE WHEN c.outbound_holder IS NOT NULL OR c.outbound_due_at = ANY (c.open_callbacks) THEN now() ELSE c.outbound_due_at END
       WHERE c.inbound_holder IS NOT NULL OR c.outbound_holder IS NOT NULL OR c.outbound_due_at = ANY (c.open_callbacks)`,
      [],
    );
  };
}
