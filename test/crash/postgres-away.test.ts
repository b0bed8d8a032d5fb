import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startDesk } from "../../src/emulators/desk.ts";
import { startWechat } from "../../src/emulators/wechat.ts";
import { hasPostgres, startPostgres } from "../chaos/postgres.ts";
import { findFreePort } from "../support/free-port.ts";
import { ADMIN_KEY, callApi, connect, DESK_KEY, eventually, type Gateway, look, PATIENT } from "../support/gateway.ts";
import { spawnGateway } from "../support/process.ts";

const BACK_MS = 60_000;

/** A real gateway process on a PostgreSQL server of the test's own, which it may stop and freeze. WeChat tries each callback once. */
async function startStage() {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.remove());
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-away-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [wechat, desk] = [await startWechat({ tries: 1, ...PATIENT }), await startDesk({ key: DESK_KEY })];
  onTestFinished(async () => {
    await Promise.all([wechat.close(), desk.close()]);
  });
  const gateway = spawnGateway(
    {
      WXDESK_PORT: String(await findFreePort()),
      WXDESK_DATA_DIR: folder,
      WXDESK_ADMIN_KEY: ADMIN_KEY,
      WXDESK_MASTER_KEY: randomBytes(32).toString("base64"),
      DATABASE_URL: await postgres.createDatabase(),
    },
    folder,
  );
  const address = await gateway.listening();
  const api: Gateway["api"] = (method, path, body, key = ADMIN_KEY) => callApi(address, method, path, body, key);
  const account = await connect({ api, wechat, desk }, "official_account", { replies: { passiveWaitMs: 0 } });
  const get = async (path: string) => (await fetch(address + path)).status;
  return {
    postgres,
    desk,
    gateway,
    write: (openId: string, text: string) => account.wechat.sendText(openId, text),
    livez: () => get("/livez"),
    readyz: () => get("/readyz"),
    api,
    look: (openId: string) => look({ api }, account, openId),
  };
}

type Stage = Awaited<ReturnType<typeof startStage>>;

/** While the database does not answer: that there is a refusal at all shows that the gateway does not wait for it. */
async function expectRefusal({ write }: Stage, text: string): Promise<void> {
  const { acknowledged, tries } = await write("oA", text);
  expect(acknowledged).toBe(false);
  expect(tries[0]?.status).toBeGreaterThanOrEqual(500);
}

async function expectRecovery({ desk, gateway, readyz, write, look }: Stage): Promise<void> {
  await eventually("readiness", readyz, (status) => status === 200, BACK_MS);
  expect(await write("oA", "and now?")).toMatchObject({ acknowledged: true });
  await desk.waitForReceived("oA", ({ text }) => text === "and now?", BACK_MS);
  await eventually(
    "the work to be done",
    () => look("oA"),
    ({ conversation: { pending } }) => pending.toDesk === 0 && pending.toCustomer === 0,
    BACK_MS,
  );
  const first = desk.received("oA").filter(({ repeated }) => !repeated);
  expect(first.map(({ text }) => text).filter((text) => text === "hello" || text === "and now?")).toEqual(["hello", "and now?"]);
  expect(gateway.output).not.toMatch(/^\s+at |unhandled/im);
  expect(await gateway.stop()).toBe(0);
}

describe.runIf(hasPostgres())("with the database away", () => {
  test.each(["fast", "immediate"] as const)(
    "a server that is stopped (%s): callbacks are refused quickly, the process stays up and works again without a restart",
    async (mode) => {
      const stage = await startStage();
      expect(await stage.write("oA", "hello")).toMatchObject({ acknowledged: true });
      await stage.desk.waitForReceived("oA", 1);

      await stage.postgres.stop(mode);
      for (const text of ["one", "two", "three"]) await expectRefusal(stage, text);
      expect(await stage.readyz()).toBe(503);
      expect(await stage.livez()).toBe(200);
      for (const path of ["/accounts", "/conversations", "/messages/ms_1"]) {
        expect(await stage.api("GET", path)).toMatchObject({ status: 503, body: { code: "DATABASE_UNAVAILABLE" } });
      }

      await stage.postgres.start();
      await expectRecovery(stage);
    },
  );

  test("a server that stands still: callbacks are answered with 5xx all the same, and work goes on when it moves", async () => {
    const stage = await startStage();
    expect(await stage.write("oA", "hello")).toMatchObject({ acknowledged: true });
    await stage.desk.waitForReceived("oA", 1);

    await stage.postgres.freeze();
    const push = stage.desk.pushText("oA", "hi there");
    const asked = stage.api("GET", "/conversations");
    await Promise.all(["one", "two", "three"].map((text) => expectRefusal(stage, text)));
    // The desk is promised an answer within a second, everybody else one at all.
    expect((await push).status).toBe(503);
    expect(await asked).toMatchObject({ status: 503, body: { code: "TOO_SLOW" } });
    expect(await stage.readyz()).toBe(503);
    expect(await stage.livez()).toBe(200);

    await stage.postgres.thaw();
    await expectRecovery(stage);
  });

  test("a stop while the server stands still ends, with code 0", async () => {
    const stage = await startStage();
    await stage.postgres.freeze();
    await expectRefusal(stage, "hello");
    expect(await stage.gateway.stop()).toBe(0);
  });
});
