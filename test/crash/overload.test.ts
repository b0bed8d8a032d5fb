import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { Pool } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import { startDesk } from "../../src/emulators/desk.ts";
import { startWechat } from "../../src/emulators/wechat.ts";
import { signCallback, textXml } from "../http/signed-callback.ts";
import { createTestDatabase } from "../support/database.ts";
import { ADMIN_KEY, callApi, connect, DESK_KEY, eventually, type Gateway, startGateway } from "../support/gateway.ts";
import { spawnGateway } from "../support/process.ts";

/** WeChat hangs up after five seconds; the gateway promises its answer before. */
const ANSWER_MS_MAX = 4_800;
const SENDERS = 150;

interface Answered {
  status: number;
  durationMs: number;
  /** Of the message, unlike all others. */
  text: string;
}

interface Bombardment {
  answered: Answered[];
  /** The longest that the same two processes took for an answer that needs nothing: what the machine adds. */
  idleMs: number;
}

/** A gateway in a process of its own, senders without mercy, and a session that can lock its tables. */
async function startStage() {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  if (database.address.kind !== "server") throw new Error("TEST_DATABASE_URL gives a server");
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-overload-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [wechat, desk] = [await startWechat({ tries: 1 }), await startDesk({ key: DESK_KEY })];
  onTestFinished(async () => {
    await Promise.all([wechat.close(), desk.close()]);
  });
  const gateway = spawnGateway(
    {
      ...{ WXDESK_PORT: "0", WXDESK_ADMIN_KEY: ADMIN_KEY, DATABASE_URL: database.address.url },
      WXDESK_MASTER_KEY: randomBytes(32).toString("base64"),
    },
    folder,
  );
  const address = await gateway.listening();
  const api: Gateway["api"] = (method, path, body, key = ADMIN_KEY) => callApi(address, method, path, body, key);
  const account = await connect({ api, wechat, desk }, "official_account", {
    replies: { passiveWaitMs: 0 },
    wechat: { encryption: "plain" },
  });
  const other = new pg.Client({ connectionString: database.address.url });
  await other.connect();
  onTestFinished(() => other.end());
  const pool = new Pool(address, { connections: SENDERS, bodyTimeout: 60_000, headersTimeout: 60_000 });
  onTestFinished(() => pool.destroy());

  let sent = 0;
  const send = async (): Promise<Answered> => {
    const text = `message ${sent++}`;
    const { query, body } = signCallback(account.wechat, textXml(`o${sent % 500}`, text));
    const search = new URLSearchParams(query as Record<string, string>);
    const startedAt = performance.now();
    const { statusCode, body: answer } = await pool.request({ method: "POST", path: `/wechat/${account.id}?${search}`, body });
    await answer.dump();
    return { status: statusCode, durationMs: performance.now() - startedAt, text };
  };
  /** Each sender sends again as soon as it has its answer. */
  const bombard = async (each: number): Promise<Bombardment> => {
    const answered: Answered[] = [];
    let isOver = false;
    let idleMs = 0;
    const yardstick = (async () => {
      while (!isOver) {
        const startedAt = performance.now();
        await (await fetch(`${address}/livez`)).text();
        idleMs = Math.max(idleMs, performance.now() - startedAt);
      }
    })();
    const sender = async () => {
      for (let round = 0; round < each; round++) answered.push(await send());
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
    isOver = true;
    await yardstick;
    return { answered, idleMs };
  };
  const stored = async () => new Set((await other.query<{ text: string }>("SELECT text FROM messages")).rows.map(({ text }) => text));
  return { gateway, address, api, other, desk, send, bombard, stored };
}

function expectKept({ answered, idleMs }: Bombardment, stored: ReadonlySet<string>): void {
  expect([...new Set(answered.map(({ status }) => status))].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect(answered.filter(({ status, text }) => status === 200 && !stored.has(text))).toEqual([]);
  const slowest = Math.max(...answered.map(({ durationMs }) => durationMs));
  expect(slowest, `beside ${idleMs} ms for /livez`).toBeLessThan(ANSWER_MS_MAX + idleMs);
}

function count({ answered }: Bombardment, status: number): number {
  return answered.filter((each) => each.status === status).length;
}

describe.runIf(process.env.TEST_DATABASE_URL)("far beyond its capacity", { timeout: 120_000 }, () => {
  test("a gateway whose table is locked refuses at once, answers everybody in time, stays open to people, and recovers", async () => {
    const { gateway, address, api, other, bombard, send, stored } = await startStage();
    expect(count(await bombard(1), 200)).toBeGreaterThan(0);

    await other.query("BEGIN");
    await other.query("LOCK TABLE messages");
    const under = bombard(10);
    await eventually(
      "that it sheds",
      async () => gateway.output,
      (output) => output.includes("gateway.overloaded"),
      30_000,
    );
    expect((await fetch(`${address}/livez`)).status).toBe(200);
    expect(await (await fetch(`${address}/readyz`)).json()).toMatchObject({ problem: { code: "DATABASE_BUSY" } });
    expect((await api("GET", "/accounts")).status).toBe(200);
    const refused = await under;
    expect(count(refused, 200)).toBe(0);
    await other.query("ROLLBACK");

    await eventually("that it takes messages", send, ({ status }) => status === 200, 20_000);
    const after = await bombard(2);
    expect(count(after, 200)).toBeGreaterThan(0);
    for (const each of [refused, after]) expectKept(each, await stored());
    // A line for some seconds, not one for each.
    expect(gateway.output.match(/gateway\.overloaded/g)?.length).toBeLessThan(20);
  });

  test("a gateway whose database is slow takes what it can store in time and refuses the rest", async () => {
    const { other, bombard, send, stored } = await startStage();
    // A batch of 100 then takes 5 s: the first messages still fit in, those behind them do not, however fast the machine is.
    await other.query(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$`);
    await other.query("CREATE TRIGGER slow BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION slow()");
    const bombardment = await bombard(6);
    expect(count(bombardment, 200)).toBeGreaterThan(0);
    expect(count(bombardment, 503)).toBeGreaterThan(0);
    await other.query("DROP FUNCTION slow CASCADE");
    await eventually("that it takes messages", send, ({ status }) => status === 200, 20_000);
    expectKept(bombardment, await stored());
  });
});

test("beyond the callbacks that may be kept open, a message is stored, forwarded and acknowledged at once", async () => {
  const gateway = await startGateway({ wechat: { tries: 1 }, environment: { WXDESK_OPEN_CALLBACKS_MAX: "1" } });
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", { status: "chatting", turn: 0, agent_name: "Lily", msg: "" });
  const first = account.wechat.sendText("oA", "one");
  await gateway.desk.waitForReceived("oA", 1);
  const second = await account.wechat.sendText("oB", "two");
  expect(second).toMatchObject({ acknowledged: true, tries: [{ status: 200 }] });
  await gateway.desk.pushText("oA", "hi there");
  await gateway.desk.waitForReceived("oB", 1);
  expect((await first).acknowledged).toBe(true);
  await gateway.desk.pushText("oB", "and you");
  const seen = [await gateway.wechat.waitForSeen("oA", 1), await gateway.wechat.waitForSeen("oB", 1)];
  expect(seen.flat().map(({ way }) => way)).toEqual(["passive", "async"]);
});
