import Fastify from "fastify";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ConfigError } from "../../src/base/errors.ts";
import type { DatabaseFault } from "../../src/domain/database-fault.ts";
import { type OperationsDeps, operationsPlugin } from "../../src/http/operations.ts";

const FULL_DISK = new Error("could not extend file: postgres://wxdesk:pw@db");
const DISK_FULL: DatabaseFault = {
  code: "DATABASE_FULL",
  what: "the disk is full",
  remedy: "make room",
  concerns: "database",
  origin: "53100",
};

async function createOperations(given: Partial<OperationsDeps> = {}) {
  const app = Fastify();
  await app.register(operationsPlugin, {
    health: { check: async () => {} },
    toDatabaseFault: (error) => (error === FULL_DISK ? DISK_FULL : null),
    lastFault: { current: () => null, forget: () => {} },
    worker: () => true,
    isStopping: () => false,
    ...given,
  });
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
    ["nothing can be written", { health: { check: () => Promise.reject(FULL_DISK) } }, { database: "not-writable" }],
    ["the last message could not be stored", { lastFault: { current: () => DISK_FULL, forget: () => {} } }, { database: "not-writable" }],
    ["the worker stands still", { worker: () => false }, { worker: "stopped" }],
    ["the process is stopping", { isStopping: () => true }, { stopping: "yes" }],
  ])("is 503 when %s, and says so shortly", async (_what, deps, checks) => {
    const answer = await (await createOperations(deps)).inject("/readyz");
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ status: "unavailable", checks });
    expect(answer.body).not.toContain("postgres://");
  });

  test("says with code and remedy why nothing can be stored, and logs it once", async () => {
    const lines: unknown[] = [];
    const warn = vi.fn((fields: unknown, what: unknown) => lines.push([fields, what]));
    const app = await createOperations({ health: { check: () => Promise.reject(FULL_DISK) } });
    app.addHook("onRequest", async (request) => {
      request.log = { ...request.log, warn } as unknown as typeof request.log;
    });
    const problem = { code: "DATABASE_FULL", detail: "the disk is full (53100); make room" };
    expect((await app.inject("/readyz")).json()).toMatchObject({ problem });
    expect((await app.inject("/readyz")).json()).toMatchObject({ problem });
    expect(lines).toEqual([[problem, "gateway.not-ready"]]);
  });

  test("however many ask, the database is asked once a second, and never twice at once", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const ends: (() => void)[] = [];
    const app = await createOperations({ health: { check: () => new Promise((resolve) => ends.push(resolve)) } });
    const ask = () => app.inject("/readyz").then(({ statusCode }) => statusCode);
    const asked = [ask(), ask(), ask()];
    await vi.waitUntil(() => ends.length > 0);
    ends[0]?.();
    expect(await Promise.all(asked)).toEqual([200, 200, 200]);
    expect(await ask()).toBe(200);
    expect(ends).toHaveLength(1);

    vi.advanceTimersByTime(1_000);
    const late = ask();
    await vi.waitUntil(() => ends.length > 1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await late).toBe(503);
    expect(await ask()).toBe(503);
    expect(ends).toHaveLength(2);
    ends[1]?.();
    await new Promise((resolve) => setImmediate(resolve));
    const again = ask();
    await vi.waitUntil(() => ends.length > 2);
    ends[2]?.();
    expect(await again).toBe(200);
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
