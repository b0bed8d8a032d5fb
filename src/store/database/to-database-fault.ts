import { z } from "zod";
import { ConfigError, type ErrorCode } from "../../base/errors.ts";
import { type DatabaseFault, type DatabaseFaultCode, toSentence } from "../../domain/database-fault.ts";
import { explainCode } from "./sqlstates.ts";

/** The database fault behind an error; null when the database is not at fault. */
export function toDatabaseFault(error: unknown): DatabaseFault | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof ConfigError) return explainCode(error.code);
  const own = toCode(error);
  for (const code of [...toDriverCodes(error), ...(SHARED_CODES.has(own) ? [] : [own]), ...toWordCodes(error), own]) {
    const fault = explainCode(code);
    if (fault !== null) return fault;
  }
  return null;
}

/** Whether the database could not be asked, or went away while it was: the statement may have been done or not. */
export function isConnectionLost(error: unknown): boolean {
  return toDatabaseFault(error)?.code === "DATABASE_UNAVAILABLE";
}

/** Whether another statement may succeed where this one failed. */
export function isOwnFault(error: unknown): boolean {
  return toDatabaseFault(error)?.concerns !== "database";
}

/** A unique index has the key already: another process stored it in between. */
export function isTakenKey(error: unknown): boolean {
  return toCode(error) === "23505";
}

/** Two codes for one fault: the start's is older than the table. */
const START_CODES: Readonly<Record<DatabaseFaultCode, ErrorCode>> = {
  DATABASE_UNAVAILABLE: "DATABASE_UNREACHABLE",
  DATABASE_BUSY: "DATABASE_BUSY",
  DATABASE_READ_ONLY: "DATABASE_READ_ONLY",
  DATABASE_FULL: "DATABASE_FULL",
  DATABASE_FORBIDDEN: "DATABASE_FORBIDDEN",
  DATABASE_MISMATCHED: "DATABASE_MISMATCHED",
  DATABASE_POOLED: "DATABASE_POOLED",
  DATABASE_FAILED: "DATABASE_FAILED",
};

/** For a start or a command that cannot go on: the same error, or what an operator can do when it is the database's. */
export function toStartProblem(error: unknown): unknown {
  if (error instanceof ConfigError) return error;
  const fault = toDatabaseFault(error);
  if (fault === null) return error;
  const { what, origin, remedy } = fault;
  const sentence =
    fault.code === "DATABASE_UNAVAILABLE" ? `the connection to PostgreSQL broke (${origin}); ${what}: ${remedy}` : toSentence(fault);
  return new ConfigError(START_CODES[fault.code], sentence, { cause: error });
}

/** No session can be had. */
export function toConnectProblem(where: string, cause: unknown): ConfigError {
  const fault = toDatabaseFault(cause);
  const code = fault?.origin || toCode(cause) || (cause instanceof Error ? cause.message.slice(0, 100) : "unknown");
  const advice = fault === null ? "is it up, is DATABASE_URL right?" : `${fault.what}: ${fault.remedy}`;
  return new ConfigError("DATABASE_UNREACHABLE", `no connection to PostgreSQL on ${where} (${code}); ${advice}`, { cause });
}

const driverErrorSchema = z.object({
  meta: z.object({ driverAdapterError: z.object({ cause: z.object({ kind: z.string(), originalCode: z.string().optional() }) }) }),
});

/** Of Prisma's adapters, where they keep no code of the driver. */
const KIND_CODES: Readonly<Record<string, string>> = {
  DatabaseNotReachable: "P1001",
  ConnectionClosed: "P1017",
  SocketTimeout: "ETIMEDOUT",
  TlsConnectionError: "P1011",
  TooManyConnections: "53300",
  TransactionWriteConflict: "40001",
};

/** Every failed raw statement has Prisma's code P2010; the driver's own code is inside. */
function toDriverCodes(error: Error): string[] {
  const { data } = driverErrorSchema.safeParse(error);
  if (data === undefined) return [];
  const { kind, originalCode } = data.meta.driverAdapterError.cause;
  return [originalCode ?? "", KIND_CODES[kind] ?? ""];
}

function toCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Of Prisma's transactions: the words tell which of several things happened. */
const SHARED_CODES: ReadonlySet<string> = new Set(["P2028"]);

/** Of pg, its pool, Prisma and PGlite, which give these no code, or a shared one. */
const WORDS: readonly [RegExp, string][] = [
  [/leads to a pooler in transaction/, "DATABASE_POOLED"],
  [/query read timeout/i, "P1002"],
  [/timeout exceeded when trying to connect/i, "P2024"],
  [/connection timeout|connection terminated|closed the connection|connection error and is not|unable to start a transaction/i, "P1017"],
  [/does not support SSL|certificate/i, "P1011"],
  [/no space left on device/i, "ENOSPC"],
  [/PGlite (is closed|failed)/i, "P1017"],
];

function toWordCodes({ message }: Error): string[] {
  return WORDS.flatMap(([words, code]) => (words.test(message) ? [code] : []));
}
