import { expect, test } from "vitest";
import { ConfigError } from "../../src/domain/errors.ts";
import { toConnectionProblem } from "../../src/store/database.ts";

test.each([
  Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
  Object.assign(new Error("terminating connection due to administrator command"), { code: "57P01" }),
  Object.assign(new Error("Server has closed the connection."), { code: "P1017" }),
  new Error("Connection terminated unexpectedly"),
])("a connection that broke at the start is named with its remedy: %s", (error) => {
  expect(toConnectionProblem(error)).toBeInstanceOf(ConfigError);
  expect(toConnectionProblem(error)).toMatchObject({ code: "DATABASE_UNREACHABLE", cause: error });
});

test("any other error stays what it is", () => {
  for (const error of [new Error("relation does not exist"), new ConfigError("MASTER_KEY_WRONG", "the key is another"), "text"]) {
    expect(toConnectionProblem(error)).toBe(error);
  }
});
