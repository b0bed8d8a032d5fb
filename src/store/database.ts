import { createHash } from "node:crypto";
import type { PGlite } from "@electric-sql/pglite";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaPGlite } from "pglite-prisma-adapter";
import { z } from "zod";
import { ConfigError } from "../domain/errors.ts";
import { PrismaClient } from "../generated/prisma/client.ts";
import { keepStatements } from "./keep-statements.ts";
import { listen } from "./listen.ts";
import { openFolder } from "./open-folder.ts";

export type DatabaseAddress =
  | { kind: "server"; url: string; connectionsMax?: number }
  /** A folder of an embedded Postgres, made when it is not there. */
  | { kind: "embedded"; folder: string }
  /** An embedded Postgres that the caller has opened and that `close` closes too. */
  | { kind: "opened"; pglite: PGlite };

/** One Postgres, whichever it is: Prisma's client for statements, and a way to run a script of several. */
export interface Database {
  prisma: PrismaClient;
  /** True when no other process can be using the same data. */
  isExclusive: boolean;
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
/** A conversation that somebody keeps locked fails those who are in one statement with it; each is then tried by itself, and the others go on. */
const LOCK_TIMEOUT_MS = 600;

/** Any number, the same in all processes: "wxdesk" in ASCII. */
const MIGRATION_LOCK = 0x777864736b6d;

export async function openDatabase(address: DatabaseAddress): Promise<Database> {
  if (address.kind === "server") return openServer(address.url, address.connectionsMax ?? CONNECTIONS_MAX);
  const pglite = address.kind === "opened" ? address.pglite : openFolder(address.folder);
  await pglite.waitReady;
  return openEmbedded(pglite);
}

function openServer(url: string, connectionsMax: number): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    // Not a parameter of the connection: poolers refuse those.
    onConnect: async (client) => {
      await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    },
  });
  const adapter = new PrismaPg(pool, { statementNameGenerator: createStatementNames(), disposeExternalPool: true });
  const prisma = new PrismaClient({ adapter });
  return {
    prisma,
    isExclusive: false,
    withMigrationLock: (work) => withServerLock(url, work),
    listen: (channel, hear) => listen(url, channel, hear),
    close: () => prisma.$disconnect(),
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
    return await work({
      script: async (sql) => {
        await client.query(sql);
      },
      query: async (sql, values) => (await client.query(sql, values)).rows,
    });
  } finally {
    await client.end();
  }
}

async function connect(client: pg.Client): Promise<void> {
  try {
    await client.connect();
  } catch (cause) {
    throw unreachable(`no connection to PostgreSQL on ${client.host}:${client.port}`, cause);
  }
}

/** Codes of Node, PostgreSQL and Prisma for a server that is not there, is going, or is not ready yet. */
const CONNECTION_LOST = /^(E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT)|57P0[123]|08\w{3}|P10(01|02|17))$/;

/** The same error, or what an operator can do about it when it is the connection that broke. */
export function toConnectionProblem(error: unknown): unknown {
  return isConnectionLost(error) && !(error instanceof ConfigError) ? unreachable("the connection to PostgreSQL broke", error) : error;
}

/** Whether the database could not be asked, or went away while it was: what was asked of it may or may not have been done. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return [toCode(error), ...toDriverCodes(error)].some((code) => CONNECTION_LOST.test(code)) || CONNECTION_LOST_WORDS.test(error.message);
}

/** Of pg and Prisma, which give these no code, or one that they share with others: no session came, or it broke. */
const CONNECTION_LOST_WORDS = /connection terminated|closed the connection|connection error and is not|unable to start a transaction/i;

const driverErrorSchema = z.object({
  meta: z.object({ driverAdapterError: z.object({ cause: z.object({ kind: z.string(), originalCode: z.string().optional() }) }) }),
});

/** A raw statement that fails has Prisma's P2010, whatever the reason; the driver's own is inside. */
function toDriverCodes(error: Error): string[] {
  const { data } = driverErrorSchema.safeParse(error);
  if (data === undefined) return [];
  const { kind, originalCode } = data.meta.driverAdapterError.cause;
  return kind === "DatabaseNotReachable" || kind === "ConnectionClosed" ? ["P1001"] : [originalCode ?? ""];
}

/** PostgreSQL's own refusals of a connection (its manual, appendix A), and the name that no server has. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["28P01", "PostgreSQL refuses the password: correct user and password in DATABASE_URL"],
  ["28000", "PostgreSQL does not let this user in from here: correct the user in DATABASE_URL, or the server's pg_hba.conf"],
  ["3D000", "the server has no such database: create it, or correct its name in DATABASE_URL"],
  ["53300", "the server has no connection left: raise max_connections, or start fewer replicas"],
  ["ENOTFOUND", "no server has this name: correct the host in DATABASE_URL"],
  ["ECONNREFUSED", "nothing listens there: start PostgreSQL, or correct host and port in DATABASE_URL"],
]);

function unreachable(what: string, cause: unknown): ConfigError {
  const code = toCode(cause);
  return new ConfigError("DATABASE_UNREACHABLE", `${what} (${code}); ${REMEDIES.get(code) ?? "is it up, is DATABASE_URL right?"}`, {
    cause,
  });
}

function toCode(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.message.slice(0, 100);
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
    isExclusive: true,
    withMigrationLock: (work) => work(run),
    listen: async () => async () => {},
    close: async () => {
      await prisma.$disconnect();
      if (!pglite.closed) await pglite.close();
    },
  };
}
