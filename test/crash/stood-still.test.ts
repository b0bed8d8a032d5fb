import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startDesk } from "../../src/emulators/desk.ts";
import { startWechat } from "../../src/emulators/wechat.ts";
import { createTestDatabase } from "../support/database.ts";
import { ADMIN_KEY, callApi, connect, DESK_KEY, type Gateway, look } from "../support/gateway.ts";
import { type GatewayProcess, spawnGateway } from "../support/process.ts";
import { pushAndLeave } from "../support/push-and-leave.ts";
import { skewedClock } from "../support/skewed-clock.ts";
import { prepareDataFolder, startStage } from "./stage.ts";

/* A process that stands still reads later what its callers sent while they still waited for it. */

prepareDataFolder();

/** Names a hang only: starting a process takes as long as the machine is busy. */
const PROCESSES_MS = 120_000;

const textPush = (text: string, openId = "oA") => JSON.stringify({ touser: openId, msgtype: "text", text: { content: text } });

const push = (pushUrl: string, body: string) =>
  fetch(pushUrl, { method: "POST", headers: { "content-type": "application/json" }, body }).then(({ status }) => status);

test(
  "a push whose caller has gone while the gateway stood still is not stored; the next one is",
  async () => {
    const { gateway, wechat, account, look } = await startStage({ account: { replies: { notices: "never" } } });
    await account.wechat.sendText("oA", "hello");
    gateway.freeze();
    await pushAndLeave(account.pushUrl, textPush("given up"));
    gateway.thaw();
    expect(await push(account.pushUrl, textPush("pushed again"))).toBe(200);
    await wechat.waitForSeen("oA", 1);
    const { messages } = await look("oA");
    expect(messages.map(({ text }) => text)).toEqual(["hello", "pushed again"]);
  },
  PROCESSES_MS,
);

test(
  "a callback that WeChat has given up on while the gateway stood still is stored, and once: it may be the only gateway",
  async () => {
    const { gateway, account, desk, look } = await startStage({
      wechat: { callbackTimeoutMs: 500 },
      account: { replies: { notices: "never", passiveWaitMs: 0 } },
    });
    gateway.freeze();
    expect(await account.wechat.sendText("oA", "hello")).toMatchObject({ acknowledged: false });
    gateway.thaw();
    await desk.waitForReceived("oA", 1);
    await account.wechat.sendText("oA", "still there?");
    await desk.waitForReceived("oA", 2);
    const { messages } = await look("oA");
    expect(messages.filter(({ direction }) => direction === "inbound").map(({ text }) => text)).toEqual(["hello", "still there?"]);
  },
  PROCESSES_MS,
);

describe.runIf(process.env.TEST_DATABASE_URL)("two processes on one database", () => {
  /** The second process's clock is off by `skewMs`. */
  async function startPair(skewMs: number) {
    const database = await createTestDatabase();
    const [wechat, desk] = [await startWechat(), await startDesk({ key: DESK_KEY })];
    const url = database.address.kind === "server" ? database.address.url : "";
    const folder = await mkdtemp(join(tmpdir(), "wxdesk-pair-"));
    onTestFinished(async () => {
      await Promise.all([wechat.close(), desk.close()]);
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
    const right = spawnGateway(shared, folder);
    const other = spawnGateway(shared, folder, [...skewed, new URL("src/server.ts", root).pathname]);
    const [address, otherAddress] = [await right.listening(), await other.listening()];
    const api: Gateway["api"] = (method, path, body, key = ADMIN_KEY) => callApi(address, method, path, body, key);
    const account = await connect({ api, wechat, desk }, "official_account", { replies: { notices: "never" } });
    account.wechat.limitsSends = false;
    const at = (base: string) => base + new URL(account.pushUrl).pathname;
    return {
      wechat,
      account,
      processes: [right, other] as [GatewayProcess, GatewayProcess],
      pushUrls: [at(address), at(otherAddress)] as [string, string],
      shown: async (openId: string) => (await look({ api }, account, openId)).messages.map(({ text }) => text),
    };
  }

  test.each([30_000, -30_000, -2_000])(
    "the same push to both is sent once, also when the clock of one is off by %i ms",
    async (skewMs) => {
      const { wechat, account, pushUrls, shown } = await startPair(skewMs);
      const [first, second] = pushUrls;
      for (const openId of ["oA", "oB", "oC", "oD", "oE"]) {
        await account.wechat.sendText(openId, "hello");
        const answers = await Promise.all([push(first, textPush("Yes", openId)), push(second, textPush("Yes", openId))]);
        expect(answers).toEqual([200, 200]);
        expect(await push(second, textPush("then", openId))).toBe(200);
        await wechat.waitForSeen(openId, 2);
        expect(await shown(openId)).toEqual(["hello", "Yes", "then"]);
      }
    },
    120_000,
  );

  test(
    "a push that a replica read too late is not sent again, when the desk has pushed it elsewhere",
    async () => {
      const { wechat, account, processes, pushUrls, shown } = await startPair(0);
      await account.wechat.sendText("oA", "hello");
      processes[1].freeze();
      await pushAndLeave(pushUrls[1], textPush("Yes"));
      expect(await push(pushUrls[0], textPush("Yes"))).toBe(200);
      await wechat.waitForSeen("oA", 1);
      processes[1].thaw();
      expect(await push(pushUrls[1], textPush("then"))).toBe(200);
      await wechat.waitForSeen("oA", 2);
      expect(await shown("oA")).toEqual(["hello", "Yes", "then"]);
    },
    PROCESSES_MS,
  );
});
