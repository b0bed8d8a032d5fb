import { describe, expect, test } from "vitest";
import { pushAndLeave } from "../support/push-and-leave.ts";
import { PROCESSES_MS, startPair } from "./pair.ts";
import { prepareDataFolder, startStage } from "./stage.ts";

/* A process that stands still reads later what its callers sent while they still waited for it. */

prepareDataFolder();

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
  test.each([30_000, -30_000, -2_000])(
    "the same push to both is sent once, also when the clock of one is off by %i ms",
    async (skewMs) => {
      const { wechat, account, pushUrls, shown } = await startPair({ skewMs });
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
    PROCESSES_MS,
  );

  test(
    "a push that a replica read too late is not sent again, when the desk has pushed it elsewhere",
    async () => {
      const { wechat, account, processes, pushUrls, shown } = await startPair();
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
