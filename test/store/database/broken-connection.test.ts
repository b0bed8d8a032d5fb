import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { openDatabase } from "../../../src/store/database/database.ts";
import { createTestDatabase } from "../../support/database.ts";

/** A way to a server that can be cut, without a word of the server that it goes away. */
async function startCable(serverUrl: string) {
  const { hostname, port } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const cable = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => other.destroy());
      socket.pipe(other);
    }
  });
  cable.listen(0, "127.0.0.1");
  await once(cable, "listening");
  const url = new URL(serverUrl);
  url.hostname = "127.0.0.1";
  url.port = String((cable.address() as AddressInfo).port);
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  onTestFinished(() => {
    cut();
    cable.close();
  });
  return { url: url.href, cut };
}

describe.runIf(process.env.TEST_DATABASE_URL)("a process that stands still in the middle of a transaction", () => {
  test("loses its locks, so that another one goes on, and has a new connection when it moves again", async () => {
    const { address, drop } = await createTestDatabase();
    onTestFinished(drop);
    const [standing, other] = [await openDatabase(address), await openDatabase(address)];
    onTestFinished(() => Promise.all([standing.close(), other.close()]).then(() => {}));
    const isFree = async () => (await other.proof.query("SELECT pg_try_advisory_xact_lock(7) AS free"))[0]?.free;

    await standing.proof.script("BEGIN; SELECT pg_advisory_xact_lock(7)");
    expect(await isFree()).toBe(false);
    await expect.poll(isFree, { timeout: 60_000 }).toBe(true);
    await expect.poll(() => standing.proof.query("SELECT 1 AS one").catch(() => null)).toEqual([{ one: 1 }]);
  });
});

describe.runIf(process.env.TEST_DATABASE_URL)("a connection that breaks in the middle of a statement", () => {
  test("fails what waits for it, ends no process, and is replaced", async () => {
    const { address, drop } = await createTestDatabase();
    onTestFinished(drop);
    if (address.kind !== "server") throw new Error("this test is of a server");
    const { url, cut } = await startCable(address.url);
    const [broken, watching] = [await openDatabase({ kind: "server", url }), await openDatabase(address)];
    onTestFinished(() => Promise.all([broken.close(), watching.close()]).then(() => {}));

    const sleep = "SELECT pg_sleep(4), 'to be cut'";
    const waiting = [
      broken.proof.query(sleep),
      broken.prisma.$queryRawUnsafe(`SELECT 1 FROM (${sleep}) slept`),
      broken.prisma.$transaction((tx) => tx.$queryRawUnsafe(`SELECT 1 FROM (${sleep}) slept`)),
    ].map((statement) => expect(statement).rejects.toThrow());
    const asked = `SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'active' AND query LIKE '%to be cut%' AND pid <> pg_backend_pid()`;
    await expect.poll(() => watching.proof.query(asked), { timeout: 4_000 }).toEqual([{ count: waiting.length }]);
    cut();
    await Promise.all(waiting);
    expect(await broken.proof.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(await broken.prisma.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  });
});
