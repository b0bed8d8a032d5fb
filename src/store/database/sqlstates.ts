import type { DatabaseFault, DatabaseFaultCode } from "../../domain/database-fault.ts";

type Row = [code: DatabaseFaultCode, what: string, remedy: string, concerns?: "statement"];

const START_IT = "start it, or wait until it has started; DATABASE_URL says where it should be";
const RETRY = "try again";
const LATER_VERSION = "start the build that belongs to this database; npx wxdesk doctor compares them";
/** Listening, the migration lock and prepared statements belong to a session. */
export const POOLED = {
  what: "DATABASE_URL leads to a pooler in transaction or statement mode, and the gateway needs sessions that last",
  remedy: "let DATABASE_URL name the server itself, or set pool_mode to session for this database",
} as const;
const pooled: Row = ["DATABASE_POOLED", POOLED.what, POOLED.remedy];
const ITS_LOG = "read the log of PostgreSQL";

/**
 * PostgreSQL's error codes that an operator can meet (its manual, appendix A), those of Prisma and Node for the same, and what to do.
 * Two characters stand for the rest of a class. A code that is not listed is a fault of the statement: of this code, not of the database.
 */
const ROWS: Readonly<Record<string, Row>> = {
  // Connections.
  "08": ["DATABASE_UNAVAILABLE", "the connection to PostgreSQL broke", START_IT],
  ECONNREFUSED: ["DATABASE_UNAVAILABLE", "nothing listens there", "start PostgreSQL, or correct host and port in DATABASE_URL"],
  ENOTFOUND: ["DATABASE_UNAVAILABLE", "no server has this name", "correct the host in DATABASE_URL"],
  EAI_AGAIN: ["DATABASE_UNAVAILABLE", "the server's name cannot be looked up now", "look at this machine's DNS"],
  EHOSTUNREACH: ["DATABASE_UNAVAILABLE", "no way leads to the server", "look at network and firewall, and at the host in DATABASE_URL"],
  ENETUNREACH: ["DATABASE_UNAVAILABLE", "no way leads to the server", "look at network and firewall, and at the host in DATABASE_URL"],
  ETIMEDOUT: ["DATABASE_UNAVAILABLE", "the server does not answer", "is it up, is DATABASE_URL right, does a firewall drop the packets?"],
  ECONNRESET: ["DATABASE_UNAVAILABLE", "the connection to PostgreSQL broke", START_IT],
  EPIPE: ["DATABASE_UNAVAILABLE", "the connection to PostgreSQL broke", START_IT],
  P1001: ["DATABASE_UNAVAILABLE", "PostgreSQL is not reached", START_IT],
  P1002: ["DATABASE_UNAVAILABLE", "PostgreSQL does not answer", START_IT],
  P1011: ["DATABASE_UNAVAILABLE", "PostgreSQL and the gateway do not agree on TLS", "correct sslmode and certificates in DATABASE_URL"],
  P1017: ["DATABASE_UNAVAILABLE", "PostgreSQL closed the connection", START_IT],
  "28": [
    "DATABASE_UNAVAILABLE",
    "PostgreSQL does not let this user in from here",
    "correct the user in DATABASE_URL, or the server's pg_hba.conf",
  ],
  "28P01": ["DATABASE_UNAVAILABLE", "PostgreSQL refuses the password", "correct user and password in DATABASE_URL"],
  "3D000": ["DATABASE_UNAVAILABLE", "the server has no such database", "create it, or correct its name in DATABASE_URL"],
  "53300": ["DATABASE_UNAVAILABLE", "the server has no connection left", "raise max_connections, or start fewer replicas"],
  "57P01": ["DATABASE_UNAVAILABLE", "PostgreSQL was stopped, or ended this connection", START_IT],
  "57P02": ["DATABASE_UNAVAILABLE", "PostgreSQL crashed and starts again", `wait until it is up; ${ITS_LOG}`],
  "57P03": ["DATABASE_UNAVAILABLE", "PostgreSQL is starting or stopping", "wait until it is up, then start again"],
  "57P04": ["DATABASE_UNAVAILABLE", "the database was dropped", "restore it, or correct its name in DATABASE_URL"],
  "57P05": ["DATABASE_UNAVAILABLE", "PostgreSQL ended an idle connection", "set its idle_session_timeout to 0 for this user"],
  "25P03": [
    "DATABASE_UNAVAILABLE",
    "this process stood still in a transaction, so PostgreSQL ended it",
    "give the process more processor time",
  ],
  F0: ["DATABASE_UNAVAILABLE", "PostgreSQL cannot use its own configuration", ITS_LOG],

  // Passes by itself.
  "40": ["DATABASE_BUSY", "another transaction was in the way", RETRY, "statement"],
  "53200": ["DATABASE_BUSY", "the server is out of memory", "give it more, or lower its work_mem and max_connections"],
  "53400": ["DATABASE_BUSY", "a limit in the server's configuration is reached", `raise the limit that its log names; ${ITS_LOG}`],
  "55006": ["DATABASE_BUSY", "something else uses what is needed", RETRY, "statement"],
  "55P03": [
    "DATABASE_BUSY",
    "something else holds a lock for too long",
    "end the session that holds it; pg_stat_activity and pg_locks show which",
    "statement",
  ],
  "57": ["DATABASE_BUSY", "an operator or a limit of the server intervened", ITS_LOG, "statement"],
  "57014": ["DATABASE_BUSY", "the server cancelled the statement", "raise its statement_timeout for this user", "statement"],
  "25P04": ["DATABASE_BUSY", "the server ended a long transaction", "raise its transaction_timeout for this user", "statement"],
  "72": ["DATABASE_BUSY", "the server no longer has the rows as they were", RETRY, "statement"],
  P1008: ["DATABASE_BUSY", "the database was too slow", "look what keeps it busy", "statement"],
  P2024: ["DATABASE_BUSY", "every connection of this process is in use", "look what keeps the database busy", "statement"],
  WAITED_TOO_LONG: ["DATABASE_BUSY", "the database stores less than what comes in", "look what keeps it busy", "statement"],
  P2028: ["DATABASE_BUSY", "a transaction took too long", "look what keeps the database busy", "statement"],
  P2034: ["DATABASE_BUSY", "another transaction was in the way", RETRY, "statement"],

  // Nothing can be stored until an operator acts.
  "53": ["DATABASE_FULL", "the server lacks a resource", `give it more; ${ITS_LOG}`],
  "53100": ["DATABASE_FULL", "the disk of the database is full", "make room on it, or give it a larger one"],
  ENOSPC: ["DATABASE_FULL", "the disk of the database is full", "make room on it, or give it a larger one"],
  "25006": [
    "DATABASE_READ_ONLY",
    "the database is read-only",
    "let DATABASE_URL name the primary, not a standby; else set default_transaction_read_only to off",
  ],
  "42501": [
    "DATABASE_FORBIDDEN",
    "the database's user may not do this",
    "let the user of DATABASE_URL own the tables, or grant it what is missing",
  ],
  "0A000": ["DATABASE_MISMATCHED", "the tables changed while the gateway ran", "start the gateway again"],
  "3F000": ["DATABASE_MISMATCHED", "the tables' schema is not there", "correct the schema in DATABASE_URL or the user's search_path"],
  "42P01": ["DATABASE_MISMATCHED", "a table is missing", LATER_VERSION],
  "42P06": ["DATABASE_MISMATCHED", "the schema is there, but not the gateway's books of it", LATER_VERSION],
  "42P07": ["DATABASE_MISMATCHED", "tables are there, but not in the gateway's books", LATER_VERSION],
  "42P10": ["DATABASE_MISMATCHED", "an index is missing", LATER_VERSION],
  "42701": ["DATABASE_MISMATCHED", "a column is there, but not in the gateway's books", LATER_VERSION],
  "42703": ["DATABASE_MISMATCHED", "a column is missing", LATER_VERSION],
  "42704": ["DATABASE_MISMATCHED", "a type or an index is missing", LATER_VERSION],
  "42710": ["DATABASE_MISMATCHED", "an index is there, but not in the gateway's books", LATER_VERSION],
  "42883": ["DATABASE_MISMATCHED", "a function is missing", LATER_VERSION],
  P2021: ["DATABASE_MISMATCHED", "a table is missing", LATER_VERSION],
  P2022: ["DATABASE_MISMATCHED", "a column is missing", LATER_VERSION],
  "26000": pooled,
  "42P05": pooled,
  DATABASE_POOLED: pooled,
  "58": ["DATABASE_FAILED", "PostgreSQL cannot read or write its files", `look at its disk; ${ITS_LOG}`],
  XX: ["DATABASE_FAILED", "PostgreSQL reports a fault of its own", `${ITS_LOG}; restore a backup if data is damaged`],
  EIO: ["DATABASE_FAILED", "the disk of the database fails", "look at the disk; restore a backup if data is damaged"],
};

/** The row of this code, else that of its class. */
export function explainCode(origin: string): DatabaseFault | null {
  const row = ROWS[origin] ?? (/^[0-9A-Z]{5}$/.test(origin) ? ROWS[origin.slice(0, 2)] : undefined);
  if (row === undefined) return null;
  const [code, what, remedy, concerns = "database"] = row;
  return { code, what, remedy, concerns, origin };
}
