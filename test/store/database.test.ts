import { expect, test } from "vitest";
import { ConfigError } from "../../src/domain/errors.ts";
import { isConnectionLost, toConnectionProblem } from "../../src/store/database.ts";

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
  expect(toConnectionProblem(error)).toBeInstanceOf(ConfigError);
  expect(toConnectionProblem(error)).toMatchObject({ code: "DATABASE_UNREACHABLE", cause: error });
});

/** What Prisma makes of a raw statement's failure. */
function toRawFailure(cause: object): Error {
  return Object.assign(new Error("Raw query failed."), {
    code: "P2010",
    meta: { driverAdapterError: { name: "DriverAdapterError", cause } },
  });
}

test("a statement that the database refuses is no lost connection", () => {
  for (const error of [toRawFailure({ kind: "postgres", originalCode: "23505" }), toRawFailure({ kind: "TableDoesNotExist" })]) {
    expect(isConnectionLost(error)).toBe(false);
  }
});

test("any other error stays what it is", () => {
  for (const error of [new Error("relation does not exist"), new ConfigError("MASTER_KEY_WRONG", "the key is another"), "text"]) {
    expect(toConnectionProblem(error)).toBe(error);
  }
});
