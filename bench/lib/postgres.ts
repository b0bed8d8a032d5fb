import { readFileSync } from "node:fs";
import pg from "pg";
import { hasPostgres, startPostgres } from "../../test/chaos/postgres.ts";
import { cpuMs } from "./cpu.ts";
import { until } from "./expect.ts";
import { format } from "./report.ts";

/** A throw-away PostgreSQL server, as its package sets it up, that counts the statements it runs. */
export interface Server {
  version: string;
  createDatabase(): Promise<string>;
  dropDatabase(url: string): Promise<void>;
  /** Processor time of the whole server so far. */
  cpuMs(): number;
  remove(): Promise<void>;
}

export { hasPostgres };

export async function startServer(): Promise<Server> {
  const postgres = await startPostgres();
  const first = await postgres.createDatabase();
  const counts = await query(first, "SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements'");
  if (counts.length > 0) {
    await query(first, "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'");
    await postgres.stop("fast");
    await postgres.start();
    // Where planning costs more than executing, statements should be prepared. The setting is known once the library is loaded.
    await query(first, "ALTER SYSTEM SET pg_stat_statements.track_planning = on");
    await query(first, "SELECT pg_reload_conf()");
  }
  const [version] = await query<{ version: string }>(first, "SELECT current_setting('server_version') AS version");
  const [folder] = await query<{ folder: string }>(first, "SELECT current_setting('data_directory') AS folder");
  const pid = Number(readFileSync(`${folder?.folder}/postmaster.pid`, "utf8").split("\n")[0]);
  return {
    version: version?.version ?? "unknown",
    createDatabase: async () => {
      const url = await postgres.createDatabase();
      // Not every package has the extension; without it there are no counts.
      await query(url, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements").catch(() => {});
      return url;
    },
    dropDatabase: async (url) => {
      await query(first, `DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
    },
    cpuMs: () => cpuMs(pid),
    remove: () => postgres.remove(),
  };
}

export interface Statement {
  calls: number;
  /** Of all time that the server spent planning and executing. */
  share: number;
  planMsMean: number;
  executeMsMean: number;
  text: string;
}

export async function resetStatements(url: string): Promise<void> {
  await query(url, "SELECT pg_stat_statements_reset()").catch(() => {});
}

/** What ran in this database since the last reset, the costliest first; empty where the server does not count. */
export async function listStatements(url: string): Promise<Statement[]> {
  const rows = await query<{ calls: string; plan: number; execute: number; text: string }>(url, STATEMENTS).catch(() => []);
  const total = rows.reduce((sum, { plan, execute }) => sum + plan + execute, 0);
  return rows.map(({ calls, plan, execute, text }) => ({
    calls: Number(calls),
    share: (plan + execute) / total,
    planMsMean: plan / Number(calls),
    executeMsMean: execute / Number(calls),
    text: toFirstWords(text),
  }));
}

const COSTLIEST_MAX = 8;

export const STATEMENT_COLUMNS = ["statement", "per message", "ms planning", "ms executing", "share of both"];

/** How many statements a message took, and the costliest as rows of a table. */
export function perMessage(statements: readonly Statement[], messages: number): { statements: number; costliest: string[][] } {
  const calls = statements.reduce((sum, each) => sum + each.calls, 0);
  const rows = statements
    .slice(0, COSTLIEST_MAX)
    .map((each) => [
      each.text,
      format(each.calls / messages),
      format(each.planMsMean),
      format(each.executeMsMean),
      `${Math.round(each.share * 100)} %`,
    ]);
  return { statements: statements.length === 0 ? Number.NaN : calls / messages, costliest: rows };
}

const STATEMENTS = `
  SELECT s.calls, s.total_plan_time AS plan, s.total_exec_time AS execute, s.query AS text
  FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
  WHERE d.datname = current_database() AND s.query NOT LIKE '%pg_stat_statements%'
  ORDER BY s.total_plan_time + s.total_exec_time DESC`;

function toFirstWords(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, 110);
}

/** Bytes of write-ahead log that the server has written so far. */
export async function readWalBytes(url: string): Promise<number> {
  const [row] = await query<{ bytes: string }>(url, "SELECT pg_current_wal_lsn() - '0/0' AS bytes");
  return Number(row?.bytes);
}

/** How often a table's rows were updated since the database was made, and how many of these updates wrote no index (HOT). */
export interface Updates {
  table: string;
  all: number;
  hot: number;
}

const SESSIONS_SECONDS_MAX = 30;

/** Waits for the other sessions of the database to end: a session reports its last updates when it ends. */
export async function listUpdates(url: string, tables: readonly string[]): Promise<Updates[]> {
  await until("the end of all sessions", async () => (await query(url, OTHER_SESSIONS)).length === 0, SESSIONS_SECONDS_MAX);
  const rows = await query<{ table: string; all: string; hot: string }>(url, UPDATES, [tables]);
  return rows.map(({ table, all, hot }) => ({ table, all: Number(all), hot: Number(hot) }));
}

const OTHER_SESSIONS = `
  SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`;

const UPDATES = `
  SELECT relname AS table, n_tup_upd AS all, n_tup_hot_upd AS hot
  FROM pg_stat_user_tables WHERE relname = ANY($1) ORDER BY relname`;

/** One statement on a connection of its own. */
export async function query<Row extends pg.QueryResultRow>(url: string, sql: string, values?: unknown[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}
