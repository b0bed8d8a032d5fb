import { randomBytes } from "node:crypto";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "../../src/app/app.ts";
import { readConfig } from "../../src/config.ts";
import { diagnose } from "../../src/doctor/diagnose.ts";
import { createTestDatabase } from "../support/database.ts";
import { ADMIN_KEY, eventually, startGateway } from "../support/gateway.ts";
import { hasPgbouncer, type PgbouncerSettings, startPgbouncer } from "../support/pgbouncer.ts";
import { spawnGateway } from "../support/process.ts";

const SENTENCE =
  "DATABASE_URL leads to a pooler in transaction or statement mode, and the gateway needs sessions that last; " +
  "let DATABASE_URL name the server itself, or set pool_mode to session for this database";

async function createDatabase(): Promise<string> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  if (database.address.kind !== "server") throw new Error("TEST_DATABASE_URL gives a server");
  return database.address.url;
}

const toSettings = (url: string) => ({
  ...{ DATABASE_URL: url, WXDESK_PORT: "0", WXDESK_LOG_LEVEL: "silent" },
  ...{ WXDESK_ADMIN_KEY: ADMIN_KEY, WXDESK_MASTER_KEY: randomBytes(32).toString("base64") },
});

/** Statements of other programs through the same pooler, until it is stopped; it has begun when this returns. */
async function startTraffic(url: string, clients: number): Promise<() => Promise<void>> {
  let isOver = false;
  const all = await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      return client;
    }),
  );
  const running = all.map(async (client) => {
    while (!isOver) await client.query("SELECT pg_sleep(random() * 0.005)");
    await client.end();
  });
  return async () => {
    isOver = true;
    await Promise.all(running);
  };
}

async function expectRefusal(url: string): Promise<void> {
  const settings = toSettings(url);
  await expect(createApp(readConfig(settings))).rejects.toMatchObject({ code: "DATABASE_POOLED", message: SENTENCE });
  const finding = (await diagnose(settings, null)).find(({ name }) => name === "database");
  expect(`${finding?.what}; ${finding?.remedy}`).toBe(SENTENCE);
}

describe.runIf(process.env.TEST_DATABASE_URL && hasPgbouncer())("a pooler before the database", { timeout: 90_000 }, () => {
  test.each<PgbouncerSettings>([
    { pool_mode: "transaction" },
    { pool_mode: "statement" },
    { pool_mode: "transaction", default_pool_size: 1 },
    { pool_mode: "transaction", min_pool_size: 8 },
    { pool_mode: "transaction", min_pool_size: 6, server_round_robin: 1 },
    { pool_mode: "transaction", server_reset_query: "DISCARD ALL", server_reset_query_always: 1 },
  ])("that shares sessions is refused at the first start and at every later one, and doctor says the same: %j", async (settings) => {
    const url = await startPgbouncer(await createDatabase(), settings);
    for (let start = 0; start < 3; start++) await expectRefusal(url);
  });

  test.each<PgbouncerSettings>([
    { pool_mode: "transaction", default_pool_size: 2 },
    { pool_mode: "transaction", default_pool_size: 20 },
    { pool_mode: "statement", default_pool_size: 5, server_round_robin: 1 },
  ])("that shares sessions is refused while others use it: %j", async (settings) => {
    const url = await startPgbouncer(await createDatabase(), settings);
    const stop = await startTraffic(url, 12);
    for (let start = 0; start < 5; start++) await expectRefusal(url);
    await stop();
  });

  test("a process that meets one ends with code 2 and one line", async () => {
    const url = await startPgbouncer(await createDatabase(), { pool_mode: "transaction" });
    const gateway = spawnGateway({ ...toSettings(url), WXDESK_LOG_LEVEL: "silent" }, "/tmp");
    expect(await gateway.exited()).toBe(2);
    expect(gateway.output).toBe(`DATABASE_POOLED: ${SENTENCE}\n`);
  });

  test.each<PgbouncerSettings>([
    { default_pool_size: 40 },
    { default_pool_size: 40, server_reset_query: "DISCARD ALL" },
    { default_pool_size: 14 },
  ])("in session mode is none: %j", async (settings) => {
    const url = await startPgbouncer(await createDatabase(), { pool_mode: "session", ...settings });
    const gateway = await startGateway({ database: { kind: "server", url } });
    const account = await gateway.connect("official_account", { replies: { passiveWaitMs: 0 } });
    expect(await account.wechat.sendText("oA", "hello")).toMatchObject({ acknowledged: true });
    await gateway.desk.waitForReceived("oA", 1);
    await gateway.desk.pushText("oA", "hi there");
    await gateway.wechat.waitForSeen("oA", 1);
    expect((await fetch(`${gateway.address}/readyz`)).status).toBe(200);
    const findings = await diagnose(toSettings(url), null);
    expect(findings.find(({ name }) => name === "database")).toMatchObject({ ok: true });
  });

  test("that comes in between later makes the gateway not ready with the same reason, until it has gone again", async () => {
    const server = await createDatabase();
    const pooler = await startPgbouncer(server, { pool_mode: "transaction" });
    const road = await startRoad(server);
    const gateway = await startGateway({ database: { kind: "server", url: road.url } });
    const account = await gateway.connect("official_account", { replies: { passiveWaitMs: 0 } });
    const readyz = async () => (await fetch(`${gateway.address}/readyz`)).json() as Promise<{ status: string; problem?: { code: string } }>;
    await eventually("readiness", readyz, ({ status }) => status === "ok");

    road.leadTo(pooler);
    await eventually("the reason", readyz, ({ problem }) => problem?.code === "DATABASE_POOLED", 20_000);

    road.leadTo(server);
    await eventually("readiness", readyz, ({ status }) => status === "ok", 30_000);
    expect(await account.wechat.sendText("oA", "hello")).toMatchObject({ acknowledged: true });
    await gateway.desk.waitForReceived("oA", 1);
  });
});

/** An address that leads to one server and later to another; who is connected then is cut off. */
async function startRoad(target: string) {
  let to = new URL(target);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket.on("error", () => {}).once("close", () => sockets.delete(socket)));
  };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const road = createServer((socket) => {
    const further = connect(Number(to.port), to.hostname);
    keep(socket);
    keep(further);
    socket.pipe(further).pipe(socket);
  });
  await new Promise<void>((resolve) => road.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    road.close();
    cut();
  });
  const url = new URL(target);
  url.port = String((road.address() as AddressInfo).port);
  return {
    url: url.href,
    leadTo: (next: string) => {
      to = new URL(next);
      cut();
    },
  };
}
