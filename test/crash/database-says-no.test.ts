import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "../../src/app/app.ts";
import { readConfig } from "../../src/config.ts";
import { diagnose } from "../../src/doctor/diagnose.ts";
import { ADMIN_KEY, eventually, startGateway } from "../support/gateway.ts";

/** A fault that only messages meet is remembered for ten seconds. */
const BACK_MS = 20_000;
const MASTER_KEY = Buffer.alloc(32, 7).toString("base64");

/** A separate disk, as large as a database and a little more; null where mounting is not permitted. */
function mountSmallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), "wxdesk-small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m,mode=0777", "wxdesk-test", folder], { stdio: "ignore" });
    return folder;
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return null;
  }
}

/** A gateway on a database of its own, and a session beside it that makes the database say no. */
async function startStage() {
  const gateway = await startGateway({ wechat: { tries: 1 }, environment: { WXDESK_MASTER_KEY: MASTER_KEY } });
  const account = await gateway.connect("official_account", { replies: { passiveWaitMs: 0 } });
  if (gateway.database.address.kind !== "server") throw new Error("TEST_DATABASE_URL gives a server");
  const { url } = gateway.database.address;
  const other = new pg.Client({ connectionString: url });
  other.on("error", () => {});
  await other.connect();
  onTestFinished(() => other.end());

  const readyz = async () => {
    const answer = await fetch(`${gateway.address}/readyz`);
    return { status: answer.status, body: (await answer.json()) as { checks: object; problem?: { code: string; detail: string } } };
  };
  const write = (text: string) => account.wechat.sendText("oA", text);
  const changeAccount = () => gateway.api("PATCH", `/accounts/${account.id}`, { name: "Renamed" });
  const stage = {
    gateway,
    other,
    url,
    database: new URL(url).pathname.slice(1),
    write,
    changeAccount,
    /** Settings of a database apply to new sessions only; the gateway opens new ones after this. */
    endSessions: () =>
      other.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"),
    untilUnready: (code: string) =>
      eventually("that it is not ready", readyz, ({ status, body }) => status === 503 && body.problem?.code === code),
    push: async () => {
      const answer = await fetch(account.pushUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ customer_token: "oA", messages: [{ type: "message", data: { content: "hi" } }] }),
      });
      return { status: answer.status, body: await answer.text() };
    },
    expectRefusal: async () => expect(await write("hello")).toMatchObject({ acknowledged: false, tries: [{ status: 503 }] }),
    expectRecovery: async () => {
      await eventually("readiness", readyz, ({ status }) => status === 200, BACK_MS);
      // A session that was ended is noticed by the first who uses it.
      await eventually(
        "a message to be taken",
        () => write("and now?"),
        ({ acknowledged }) => acknowledged,
        BACK_MS,
      );
      await eventually("a change to be made", changeAccount, ({ status }) => status === 200);
      await gateway.desk.waitForReceived("oA", ({ text }) => text === "and now?");
    },
  };
  await stage.expectRecovery();
  return stage;
}

describe.runIf(process.env.TEST_DATABASE_URL)("a database that answers and takes nothing", { timeout: 60_000 }, () => {
  test("read-only after a failover: not ready, everything is 503 with the reason, and works again by itself", async () => {
    const { gateway, other, url, database, endSessions, untilUnready, expectRefusal, push, changeAccount, expectRecovery } =
      await startStage();
    await other.query(`ALTER DATABASE ${database} SET default_transaction_read_only = on`);
    await endSessions();
    const { body } = await untilUnready("DATABASE_READ_ONLY");
    expect(body).toMatchObject({ checks: { database: "not-writable" }, problem: { detail: expect.stringContaining("25006") } });

    await expectRefusal();
    expect(await push()).toMatchObject({ status: 503, body: expect.stringContaining("(DATABASE_READ_ONLY)") });
    expect(await changeAccount()).toMatchObject({
      status: 503,
      body: { code: "DATABASE_READ_ONLY", detail: expect.stringMatching(/^the database is read-only \(25006\); let DATABASE_URL name/) },
    });
    expect((await gateway.api("GET", "/accounts")).status).toBe(200);
    const settings = {
      ...{ DATABASE_URL: url, WXDESK_MASTER_KEY: MASTER_KEY, WXDESK_ADMIN_KEY: ADMIN_KEY },
      ...{ WXDESK_PORT: "0", WXDESK_LOG_LEVEL: "silent" },
    };
    await expect(createApp(readConfig(settings))).rejects.toMatchObject({
      code: "DATABASE_READ_ONLY",
      message: expect.stringMatching(/^the database is read-only \(25006\); let DATABASE_URL name the primary/),
    });
    expect((await diagnose(settings, null)).find(({ name }) => name === "database")).toMatchObject({
      ok: false,
      what: "the database is read-only (25006)",
      remedy: expect.stringContaining("let DATABASE_URL name the primary"),
    });

    await other.query(`ALTER DATABASE ${database} RESET default_transaction_read_only`);
    await endSessions();
    await expectRecovery();
  });

  test.each(["messages", "conversations"])(
    "the table %s is locked by another session: not ready, and the API says 503 with the reason",
    async (table) => {
      const { gateway, other, untilUnready, expectRefusal, expectRecovery } = await startStage();
      await other.query("BEGIN");
      await other.query(`LOCK TABLE ${table}`);
      const { body } = await untilUnready("DATABASE_BUSY");
      expect(body.problem?.detail).toContain("55P03");
      await expectRefusal();
      expect(await gateway.api("GET", "/conversations")).toMatchObject({
        status: 503,
        body: { code: "DATABASE_BUSY", detail: expect.stringContaining("something else holds a lock for too long (55P03)") },
      });
      await other.query("ROLLBACK");
      await expectRecovery();
    },
  );

  test("heartbeats cannot be written: without claims in memory, messages are stored and forwarded all the same", async () => {
    const { gateway, other, write } = await startStage();
    await other.query("BEGIN");
    await other.query("LOCK TABLE worker_heartbeats");
    const { rows } = await other.query<{ seen: Date }>("SELECT max(seen_at) AS seen FROM worker_heartbeats");
    await eventually(
      "the heartbeat to be too old",
      async () =>
        (
          await other.query<{ age: number }>("SELECT EXTRACT(epoch FROM clock_timestamp() - $1::timestamptz)::float8 AS age", [
            rows[0]?.seen,
          ])
        ).rows,
      ([row]) => (row?.age ?? 0) > 3,
    );
    expect(await write("without a heartbeat")).toMatchObject({ acknowledged: true });
    await gateway.desk.waitForReceived("oA", ({ text }) => text === "without a heartbeat");
    await other.query("ROLLBACK");
  });

  test.each([
    ["53100", "DATABASE_FULL"],
    ["53200", "DATABASE_BUSY"],
    ["42501", "DATABASE_FORBIDDEN"],
    ["58030", "DATABASE_FAILED"],
    ["42P01", "DATABASE_MISMATCHED"],
  ])("messages that are refused with %s make it not ready, although its own proof can be written", async (state, code) => {
    const { other, untilUnready, expectRefusal, push, expectRecovery, write } = await startStage();
    await other.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION USING ERRCODE = '${state}', MESSAGE = 'refused'; END $$`);
    await other.query("CREATE TRIGGER refuse BEFORE INSERT ON messages EXECUTE FUNCTION refuse()");
    await expectRefusal();
    await untilUnready(code);
    expect(await push()).toMatchObject({ status: 503, body: expect.stringContaining(`(${code})`) });
    await other.query("DROP FUNCTION refuse CASCADE");
    expect(await write("again")).toMatchObject({ acknowledged: true });
    await expectRecovery();
  });

  test("an administrator ends all sessions: what comes next is stored", async () => {
    const { endSessions, expectRecovery } = await startStage();
    await endSessions();
    await expectRecovery();
  });

  test("a column that another build has renamed: messages are refused, and it is not ready", async () => {
    const { other, untilUnready, expectRefusal, expectRecovery } = await startStage();
    await other.query("ALTER TABLE messages RENAME COLUMN text TO words");
    await expectRefusal();
    await untilUnready("DATABASE_MISMATCHED");
    await other.query("ALTER TABLE messages RENAME COLUMN words TO text");
    await expectRecovery();
  });

  test("the disk is full: not ready before a message is tried, and ready again when there is room", async (context) => {
    const disk = mountSmallDisk();
    if (disk === null) return context.skip("needs the right to mount a tmpfs");
    const { other, database, endSessions, untilUnready, expectRecovery } = await startStage();
    const tablespace = `${database}_disk`;
    const tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    const moveTo = async (space: string) => {
      for (const { relname } of (await other.query(tables)).rows) await other.query(`ALTER TABLE ${relname} SET TABLESPACE ${space}`);
    };
    execFileSync("chown", ["postgres", disk]);
    await other.query(`CREATE TABLESPACE ${tablespace} LOCATION '${disk}'`);
    onTestFinished(async () => {
      execFileSync("umount", ["--lazy", disk]);
      rmSync(disk, { recursive: true, force: true });
    });
    await moveTo(tablespace);
    await other.query(`ALTER DATABASE ${database} SET temp_tablespaces = ${tablespace}`);
    await endSessions();
    await expectRecovery();

    await other.query(`CREATE TABLE ballast (filler TEXT) TABLESPACE ${tablespace}`);
    await other.query("ALTER TABLE ballast ALTER COLUMN filler SET STORAGE PLAIN");
    const fill = async () => {
      for (;;) await other.query("INSERT INTO ballast SELECT repeat('x', 7000) FROM generate_series(1, 100)");
    };
    await expect(fill()).rejects.toMatchObject({ code: "53100" });
    const { body } = await untilUnready("DATABASE_FULL");
    expect(body.problem?.detail).toBe("the disk of the database is full (53100); make room on it, or give it a larger one");

    await other.query("DROP TABLE ballast");
    await expectRecovery();
    await other.query(`ALTER DATABASE ${database} RESET temp_tablespaces`);
    await moveTo("pg_default");
    await other.query(`DROP TABLESPACE ${tablespace}`);
  });
});
