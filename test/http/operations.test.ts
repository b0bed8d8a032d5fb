import Fastify from "fastify";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ConfigError } from "../../src/domain/errors.ts";
import { type OperationsDeps, operationsPlugin } from "../../src/http/operations.ts";

async function createOperations(given: Partial<OperationsDeps> = {}) {
  const app = Fastify();
  await app.register(operationsPlugin, { health: { check: async () => {} }, worker: () => true, isStopping: () => false, ...given });
  return app;
}

afterEach(() => {
  vi.useRealTimers();
});

describe("/livez", () => {
  test("answers whatever the database does", async () => {
    const app = await createOperations({ health: { check: () => Promise.reject(new Error("away")) }, worker: () => false });
    const answer = await app.inject("/livez");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ status: "ok" });
  });
});

describe("/readyz", () => {
  test("is 200 when everything is there", async () => {
    const answer = await (await createOperations()).inject("/readyz");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ status: "ok", checks: { database: "ok", migrations: "ok", worker: "ok", stopping: "no" } });
  });

  test.each<[string, Partial<OperationsDeps>, object]>([
    [
      "the database is away",
      { health: { check: () => Promise.reject(new Error("postgres://wxdesk:pw@db")) } },
      { database: "unreachable" },
    ],
    [
      "a check throws before it waits",
      {
        health: {
          check: () => {
            throw new Error("closed");
          },
        },
      },
      { database: "unreachable", migrations: "unknown" },
    ],
    [
      "a migration is missing",
      { health: { check: () => Promise.reject(new ConfigError("MIGRATION_CHANGED", "…")) } },
      { database: "ok", migrations: "incomplete" },
    ],
    ["the worker stands still", { worker: () => false }, { worker: "stopped" }],
    ["the process is stopping", { isStopping: () => true }, { stopping: "yes" }],
  ])("is 503 when %s, and says so shortly", async (_what, deps, checks) => {
    const answer = await (await createOperations(deps)).inject("/readyz");
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ status: "unavailable", checks });
    expect(answer.body).not.toContain("postgres://");
  });

  test("does not wait for a database that never answers", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const asked = signalled();
    const check = () => {
      asked.give();
      return new Promise<void>(() => {});
    };
    const answer = (await createOperations({ health: { check } })).inject("/readyz");
    const answered = answer.then(({ statusCode }) => statusCode);
    await asked.given;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await answered).toBe(503);
  });
});

function signalled(): { given: Promise<void>; give: () => void } {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}
