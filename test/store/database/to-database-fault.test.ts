import { expect, test } from "vitest";
import { ConfigError } from "../../../src/base/errors.ts";
import { DATABASE_FAULT_CODES } from "../../../src/domain/database-fault.ts";
import { databaseProblem } from "../../../src/http/problem.ts";
import { isConnectionLost, isOwnFault, toDatabaseFault, toStartProblem } from "../../../src/store/database/to-database-fault.ts";

test.each([
  Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
  Object.assign(new Error("terminating connection due to administrator command"), { code: "57P01" }),
  Object.assign(new Error("Server has closed the connection."), { code: "P1017" }),
  new Error("Connection terminated unexpectedly"),
  new Error("Client has encountered a connection error and is not queryable"),
  Object.assign(new Error("Transaction API error: Unable to start a transaction in the given time."), { code: "P2028" }),
  toRawFailure({ kind: "DatabaseNotReachable", host: "127.0.0.1", port: 5432 }),
  toRawFailure({ kind: "postgres", originalCode: "57P01" }),
])("a connection that broke at the start is named with its remedy: %s", (error) => {
  expect(toStartProblem(error)).toBeInstanceOf(ConfigError);
  expect(toStartProblem(error)).toMatchObject({ code: "DATABASE_UNREACHABLE", cause: error });
  expect(isConnectionLost(error)).toBe(true);
});

/** Prisma's error for a failed raw statement. */
function toRawFailure(cause: object): Error {
  return Object.assign(new Error("Raw query failed."), {
    code: "P2010",
    meta: { driverAdapterError: { name: "DriverAdapterError", cause } },
  });
}

/** PostgreSQL's appendix A, as far as an operator can meet it. */
const SQLSTATES: Record<(typeof DATABASE_FAULT_CODES)[number], string[]> = {
  DATABASE_UNAVAILABLE: [
    ...["08000", "08001", "08003", "08004", "08006", "08P01"],
    ...["28000", "28P01", "3D000", "53300", "57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "F0000", "F0001"],
  ],
  DATABASE_BUSY: ["40001", "40003", "40P01", "53200", "53400", "55006", "55P03", "57000", "57014", "25P04", "72000"],
  DATABASE_READ_ONLY: ["25006"],
  DATABASE_FULL: ["53000", "53100"],
  DATABASE_FORBIDDEN: ["42501"],
  DATABASE_MISMATCHED: ["0A000", "3F000", "42P01", "42P06", "42P07", "42P10", "42701", "42703", "42704", "42710", "42883"],
  DATABASE_POOLED: ["26000", "42P05"],
  DATABASE_FAILED: ["58000", "58030", "58P01", "58P02", "XX000", "XX001", "XX002"],
};

test.each(Object.entries(SQLSTATES).flatMap(([code, states]) => states.map((state) => [state, code] as const)))(
  "%s is told as %s, with 503, its code and a remedy, whichever driver brings it",
  (state, code) => {
    const errors = [
      Object.assign(new Error("as pg and PGlite say it"), { code: state }),
      toRawFailure({ kind: "postgres", originalCode: state }),
      toRawFailure({ kind: "TransactionWriteConflict", originalCode: state }),
    ];
    for (const error of errors) {
      const fault = toDatabaseFault(error);
      if (fault === null) throw new Error(`${state} is not known`);
      expect(fault).toMatchObject({ code, origin: state });
      const problem = databaseProblem(fault, error);
      expect(problem.toBody()).toMatchObject({ code, status: 503 });
      expect(problem.message).toBe(
        `${fault.what} (${state}); ${fault.remedy}; then try again (GET /readyz tells when)${code === "DATABASE_UNAVAILABLE" ? "; if this was to change something, look first whether it did" : ""}`,
      );
      // A clause each: the doctor's line and the start's are cut at the first semicolon.
      expect(fault.what).toMatch(/^[^;]{8,}$/);
      expect(fault.remedy).toMatch(/^.{8,}$/);
      expect(toStartProblem(error)).toMatchObject({
        code: code === "DATABASE_UNAVAILABLE" ? "DATABASE_UNREACHABLE" : code,
        message: expect.stringContaining(fault.remedy),
      });
    }
  },
);

test("every way in which a database fails has an example", () => {
  expect(Object.keys(SQLSTATES)).toEqual([...DATABASE_FAULT_CODES]);
});

test.each([
  [new Error("timeout exceeded when trying to connect"), "DATABASE_BUSY"],
  [new Error("Query read timeout"), "DATABASE_UNAVAILABLE"],
  [Object.assign(new Error("it has waited too long to be stored"), { code: "WAITED_TOO_LONG" }), "DATABASE_BUSY"],
  [Object.assign(new Error("Transaction already closed"), { code: "P2028" }), "DATABASE_BUSY"],
  [Object.assign(new Error("The table `accounts` does not exist"), { code: "P2021" }), "DATABASE_MISMATCHED"],
  [Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }), "DATABASE_FULL"],
  [new Error("PGlite is closed"), "DATABASE_UNAVAILABLE"],
  [Object.assign(new Error("getaddrinfo EAI_AGAIN db"), { code: "EAI_AGAIN" }), "DATABASE_UNAVAILABLE"],
  [toRawFailure({ kind: "TlsConnectionError", reason: "self-signed certificate" }), "DATABASE_UNAVAILABLE"],
  [toRawFailure({ kind: "SocketTimeout" }), "DATABASE_UNAVAILABLE"],
  [new ConfigError("DATABASE_POOLED", "a pooler"), "DATABASE_POOLED"],
])("what comes without a code of PostgreSQL is known too: %s", (error, code) => {
  expect(toDatabaseFault(error)?.code).toBe(code);
});

test("a statement that is wrong, and all that is not the database's, stays what it is", () => {
  const others = [
    toRawFailure({ kind: "UniqueConstraintViolation", originalCode: "23505" }),
    toRawFailure({ kind: "postgres", originalCode: "42601" }),
    toRawFailure({ kind: "postgres", originalCode: "22021" }),
    Object.assign(new Error("Record not found"), { code: "P2025" }),
    new ConfigError("MASTER_KEY_WRONG", "the key is another"),
    new Error("relation does not exist"),
    "text",
  ];
  for (const error of others) {
    expect(toDatabaseFault(error)).toBeNull();
    expect(isConnectionLost(error)).toBe(false);
    expect(toStartProblem(error)).toBe(error);
  }
});

test("only what concerns one statement is worth trying with others", () => {
  const failed = (originalCode: string) => toRawFailure({ kind: "postgres", originalCode });
  expect(["55P03", "40P01", "57014", "23505", "22021"].filter((state) => !isOwnFault(failed(state)))).toEqual([]);
  expect(["25006", "53100", "53300", "57P01", "42P01", "42501"].filter((state) => isOwnFault(failed(state)))).toEqual([]);
});
