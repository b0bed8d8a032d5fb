import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { onTestFinished } from "vitest";
import { startDesk } from "../../src/emulators/desk.ts";
import { startWechat, type WechatOptions } from "../../src/emulators/wechat.ts";
import { createTestDatabase } from "../support/database.ts";
import { type AccountChange, ADMIN_KEY, callApi, connect, DESK_KEY, type Gateway, look } from "../support/gateway.ts";
import { type GatewayProcess, spawnGateway } from "../support/process.ts";
import { skewedClock } from "../support/skewed-clock.ts";

/** Names a hang only: starting a process takes as long as the machine is busy. */
export const PROCESSES_MS = 180_000;

interface PairOptions {
  /** The second process's clock is off by so much. */
  skewMs?: number;
  account?: AccountChange;
  wechat?: WechatOptions;
}

/** Two gateway processes on one server's database, with WeChat and the desk in the test. */
export async function startPair({ skewMs = 0, account: change = { replies: { notices: "never" } }, wechat: options }: PairOptions = {}) {
  const database = await createTestDatabase();
  const [wechat, desk] = [await startWechat(options), await startDesk({ key: DESK_KEY })];
  const url = database.address.kind === "server" ? database.address.url : "";
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-pair-"));
  const session = new pg.Client({ connectionString: url });
  await session.connect();
  onTestFinished(async () => {
    await Promise.all([wechat.close(), desk.close(), session.end()]);
    await rm(folder, { recursive: true, force: true });
    await database.drop();
  });
  const shared = {
    DATABASE_URL: url,
    WXDESK_DATA_DIR: folder,
    WXDESK_PORT: "0",
    WXDESK_ADMIN_KEY: ADMIN_KEY,
    WXDESK_MASTER_KEY: randomBytes(32).toString("base64"),
  };
  const root = new URL("../../", import.meta.url);
  const skewed = ["--import", skewedClock(skewMs), "--import", import.meta.resolve("tsx")];
  const startOther = () => spawnGateway(shared, folder, [...skewed, new URL("src/server.ts", root).pathname]);
  const first = spawnGateway(shared, folder);
  const second = startOther();
  const [address, secondAddress] = [await first.listening(), await second.listening()];
  const api: Gateway["api"] = (method, path, body, key = ADMIN_KEY) => callApi(address, method, path, body, key);
  const account = await connect({ api, wechat, desk }, "official_account", change);
  account.wechat.limitsSends = false;
  const at = (base: string, called: string) => base + new URL(called).pathname;
  return {
    wechat,
    desk,
    account,
    processes: [first, second] as [GatewayProcess, GatewayProcess],
    pushUrls: [at(address, account.pushUrl), at(secondAddress, account.pushUrl)] as [string, string],
    callbackUrls: [at(address, account.callbackUrl), at(secondAddress, account.callbackUrl)] as [string, string],
    /** A third process on the same database, when others have ended. */
    startAnother: async () => {
      const another = startOther();
      await another.listening();
      return another;
    },
    /** Rows as they are in the database. */
    query: async <Row extends pg.QueryResultRow>(sql: string) => (await session.query<Row>(sql)).rows,
    /** Through the first process. */
    look: (openId: string) => look({ api }, account, openId),
    shown: async (openId: string) => (await look({ api }, account, openId)).messages.map(({ text }) => text),
  };
}
