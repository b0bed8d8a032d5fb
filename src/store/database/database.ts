import { createHash } from "node:crypto";
import type { PGlite } from "@electric-sql/pglite";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaPGlite } from "pglite-prisma-adapter";
import { PrismaClient } from "../../generated/prisma/client.ts";
import { keepStatements } from "./keep-statements.ts";
import { listen } from "./listen.ts";
import { openFolder } from "./open-folder.ts";
import { createSessionWatch, proveSessions, type SessionWatch } from "./sessions.ts";
import { toConnectProblem } from "./to-database-fault.ts";

export type DatabaseAddress =
  | { kind: "server"; url: string; connectionsMax?: number }
  /** A folder of an embedded Postgres, made when it is not there. */
  | { kind: "embedded"; folder: string }
  /** An embedded Postgres that the caller has opened and that `close` closes too. */
  | { kind: "opened"; pglite: PGlite };

/** One Postgres, whichever it is: Prisma's client for statements, and a way to run a script of several. */
export interface Database {
  prisma: PrismaClient;
  /**
   * One statement without Prisma's client, on the same connections, prepared once per connection by its text. A parameter may be a Buffer in
   * Postgres' binary format. int8 comes as a string or a number, timestamptz as a Date, jsonb as a value.
   */
  query<Row>(text: string, values: readonly unknown[]): Promise<Row[]>;
  /** True when no other process can be using the same data. */
  isExclusive: boolean;
  /** A session of its own for `/readyz`: it answers also when all others wait. */
  proof: ScriptRunner;
  /** Runs `work` while holding a lock that only one session of the database can hold; others wait. */
  withMigrationLock<T>(work: (run: ScriptRunner) => Promise<T>): Promise<T>;
  /**
   * Calls `hear` with the payload of every NOTIFY on this channel that other sessions send. What is sent while the connection is
   * down is lost; it is made again by itself.
   * @returns ends it
   */
  listen(channel: string, hear: (payload: string | undefined) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface ScriptRunner {
  /** Any number of statements, without parameters. */
  script(sql: string): Promise<void>;
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
}

const CONNECTIONS_MAX = 10;
const CONNECT_TIMEOUT_MS = 3_000;
const PROOF_TIMEOUT_MS = 5_000;
/** A conversation that somebody keeps locked fails those who are in one statement with it; each is then tried by itself, and the others go on. */
const LOCK_TIMEOUT_MS = 600;
/**
 * A process that stands still in the middle of a transaction, such as a paused virtual machine, keeps its conversation locked. WeChat's
 * three tries can be over in four seconds; then the message is lost.
 */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 2_000;
/**
 * One statement: a pooler in statement mode takes no more. Compiling (`jit`) is for long reports: where a conversation has 100,000 messages,
 * the planner takes the claim of a queue for one, and compiling it cost 30 ms each time.
 */
const SET_UP_SESSION = `SELECT set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', false), set_config('jit', 'off', false),
  set_config('idle_in_transaction_session_timeout', '${IDLE_IN_TRANSACTION_TIMEOUT_MS}', false)`;

/** Any number, the same in all processes: "wxdesk" in ASCII. */
const MIGRATION_LOCK = 0x777864736b6d;

export async function openDatabase(address: DatabaseAddress): Promise<Database> {
  if (address.kind === "server") return openServer(address.url, address.connectionsMax ?? CONNECTIONS_MAX);
  const pglite = address.kind === "opened" ? address.pglite : openFolder(address.folder);
  await pglite.waitReady;
  return openEmbedded(pglite);
}

async function openServer(url: string, connectionsMax: number): Promise<Database> {
  await proveSessions(url);
  const watch = createSessionWatch();
  const pool = openPool({ connectionString: url, max: connectionsMax }, watch);
  // A connection that died without a word must not keep the next proofs waiting.
  const proof = openPool({ connectionString: url, max: 1, query_timeout: PROOF_TIMEOUT_MS }, watch);
  const toName = createStatementNames();
  const adapter = new PrismaPg(pool, { statementNameGenerator: toName, disposeExternalPool: true });
  const prisma = new PrismaClient({ adapter });
  return {
    prisma,
    query: async <Row>(text: string, values: readonly unknown[]) =>
      (await pool.query({ name: toName({ sql: text }), text, values: [...values] })).rows as Row[],
    isExclusive: false,
    proof: toRunner({ query: toWatchedQuery(proof, watch) }),
    withMigrationLock: (work) => withServerLock(url, work),
    listen: (channel, hear) => listen(url, channel, hear),
    close: async () => {
      await Promise.all([prisma.$disconnect(), proof.end()]);
    },
  };
}

function openPool(config: pg.PoolConfig, watch: SessionWatch): pg.Pool {
  const pool = new pg.Pool({
    ...config,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    // Not a parameter of the connection: poolers refuse those.
    onConnect: async (client) => {
      // The pool listens only while a connection is idle. Without a listener, one that breaks under a statement would end the process.
      client.on("error", () => {});
      await client.query(SET_UP_SESSION);
      await watch.see(client);
    },
  });
  // A connection that breaks while it is idle is replaced when the next one is needed.
  pool.on("error", () => {});
  return pool;
}

/** An address may lead elsewhere after a reconnect: each proof looks whether its session is still its own. */
function toWatchedQuery(pool: pg.Pool, watch: SessionWatch): Queryable["query"] {
  return async (sql, values) => {
    const client = await pool.connect();
    try {
      await watch.see(client);
      watch.confirm();
      const result = await client.query<Record<string, unknown>>(sql, values);
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      throw error;
    }
  };
}

interface Queryable {
  query(sql: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

function toRunner(session: Queryable): ScriptRunner {
  return {
    script: async (sql) => {
      await session.query(sql);
    },
    query: async (sql, values) => (await session.query(sql, values)).rows,
  };
}

/** The busy path has some twenty statements; what a filter puts together must not fill the memory of the server's sessions. */
const PREPARED_MAX = 100;

/**
 * A name for each statement by its text: the server then parses and plans it once for each connection. Planning ours anew takes longer
 * than executing them (docs/benchmarks.md). The first ones are named, others go without.
 */
function createStatementNames(): (query: { sql: string }) => string {
  const names = new Map<string, string>();
  return ({ sql }) => {
    const known = names.get(sql);
    if (known !== undefined) return known;
    if (names.size >= PREPARED_MAX) return "";
    // From the text, not counted: behind a pooler the sessions of several processes share their names.
    const name = `wxdesk_${createHash("sha256").update(sql).digest("hex").slice(0, 24)}`;
    names.set(sql, name);
    return name;
  };
}

/** A session of its own: an advisory lock belongs to a session, and a pool would hand out another one for each statement. */
async function withServerLock<T>(url: string, work: (run: ScriptRunner) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // Without a listener, a connection that breaks between two statements would end the process; the next statement fails instead.
  client.on("error", () => {});
  await connect(client);
  try {
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    return await work(toRunner(client));
  } finally {
    await client.end();
  }
}

async function connect(client: pg.Client): Promise<void> {
  try {
    await client.connect();
  } catch (cause) {
    throw toConnectProblem(`${client.host}:${client.port}`, cause);
  }
}

async function openEmbedded(pglite: PGlite): Promise<Database> {
  await keepStatements(pglite);
  const prisma = new PrismaClient({ adapter: new PrismaPGlite(pglite) });
  const run: ScriptRunner = {
    script: async (sql) => {
      await pglite.exec(sql);
    },
    query: async (sql, values) => (await pglite.query<Record<string, unknown>>(sql, values)).rows,
  };
  return {
    prisma,
    query: async <Row>(text: string, values: readonly unknown[]) => (await pglite.query<Row>(text, [...values])).rows,
    isExclusive: true,
    proof: run,
    withMigrationLock: (work) => work(run),
    listen: async () => async () => {},
    close: async () => {
      await prisma.$disconnect();
      if (!pglite.closed) await pglite.close();
    },
  };
}
