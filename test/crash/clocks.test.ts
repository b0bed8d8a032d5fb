import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { startDesk } from "../../src/emulators/desk.ts";
import { startWechat } from "../../src/emulators/wechat.ts";
import { createTestDatabase } from "../support/database.ts";
import { type AccountChange, ADMIN_KEY, callApi, connect, DESK_KEY, eventually, type Gateway, look } from "../support/gateway.ts";
import { spawnGateway } from "../support/process.ts";
import { skewedClock } from "../support/skewed-clock.ts";

const serverUrl = process.env.TEST_DATABASE_URL;
/** Processes are started one after the other. */
const TIMEOUT_MS = 180_000;
const SERVER = fileURLToPath(new URL("../../src/server.ts", import.meta.url));

/** Gateway processes on one server's database, each with a clock that is off by so much. */
async function startReplicas<Name extends string>(offsetsMs: Record<Name, number>, change: AccountChange = {}) {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-clocks-"));
  const [wechat, desk] = [await startWechat(), await startDesk({ key: DESK_KEY })];
  onTestFinished(async () => {
    await Promise.all([wechat.close(), desk.close()]);
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });
  const environment = {
    WXDESK_PORT: "0",
    WXDESK_ADMIN_KEY: ADMIN_KEY,
    WXDESK_MASTER_KEY: randomBytes(32).toString("base64"),
    DATABASE_URL: database.address.kind === "server" ? database.address.url : "",
  };
  const start = (offsetMs: number) => {
    const program = ["--import", import.meta.resolve("tsx"), "--import", skewedClock(offsetMs), SERVER];
    return spawnGateway(environment, folder, program).listening();
  };
  const names = Object.keys(offsetsMs) as Name[];
  const addresses = {} as Record<Name, string>;
  // One after the other: on a busy machine the admin key's lock can take longer than a session waits for it.
  for (const name of names) addresses[name] = await start(offsetsMs[name]);
  const apiOf =
    (name: Name): Gateway["api"] =>
    (method, path, body, key = ADMIN_KEY) =>
      callApi(addresses[name], method, path, body, key);
  const api = apiOf(names[0] as Name);
  const account = await connect({ api, wechat, desk }, "official_account", change);
  account.wechat.limitsSends = false;
  const at = (url: string, name: Name) => addresses[name] + new URL(url).pathname;
  return {
    database,
    wechat,
    desk,
    account,
    apiOf,
    look: (openId: string) => look({ api }, account, openId),
    write: (name: Name, openId: string, text: string) => {
      account.wechat.callbackUrl = at(account.callbackUrl, name);
      return account.wechat.sendText(openId, text);
    },
    connectPush: (name: Name) => desk.connectPush(at(account.pushUrl, name)),
    /** A replica that comes later; what starts with a process has seen the earlier work then. */
    join: async (name: Name, offsetMs: number) => {
      addresses[name] = await start(offsetMs);
    },
  };
}

describe.runIf(serverUrl)("replicas whose clocks differ by a minute", () => {
  test("the newer status is shown, whichever of them learns it", { timeout: TIMEOUT_MS }, async () => {
    const { desk, connectPush, write, look } = await startReplicas({ ahead: 30_000, behind: -30_000 });
    const shows = (status: string) =>
      eventually(
        `the status ${status}`,
        () => look("oA"),
        ({ conversation }) => conversation.status === status,
      );
    desk.setAnswer("*", { status: "queueing", turn: 4, agent_name: "", msg: "" });
    await write("ahead", "oA", "hello");
    await shows("queueing");
    desk.assign("oA", "Lily");
    await write("behind", "oA", "is anybody there?");
    expect((await shows("chatting")).conversation).toMatchObject({ turn: 0, agentName: "Lily" });

    connectPush("ahead");
    expect((await desk.pushText("oA", "bye", { status: "offline" })).status).toBe(200);
    await shows("offline");
    connectPush("behind");
    expect((await desk.pushText("oA", "back again", { status: "queueing", turn: 1 })).status).toBe(200);
    expect((await shows("queueing")).conversation).toMatchObject({ turn: 1, agentName: null });
  });
});

describe.runIf(serverUrl)("a replica whose clock is a hundred days ahead", () => {
  test("removes nothing new, gives nothing up, and takes tokens, secrets and windows for what they are", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const offsets: Record<string, number> = { right: 0 };
    const replicas = await startReplicas(offsets, { replies: { passiveWaitMs: 0 } });
    const { wechat, desk, account, connectPush, write, look, apiOf, join } = replicas;
    const sent = (count: number) =>
      eventually(
        `${count} replies to be sent`,
        () => look("oA"),
        ({ messages }) => messages.filter(({ state }) => state === "sent").length === count,
      );
    desk.setAnswer("*", { status: "queueing", turn: 1, agent_name: "", msg: "" });
    await write("right", "oA", "hello");
    connectPush("right");
    await desk.pushText("oA", "one");
    await sent(1);
    expect(wechat.calls(/token/)).toBe(1);

    await join("ahead", 100 * 86_400_000);
    expect((await apiOf("right")("POST", `/accounts/${account.id}/secrets/pushToken`, { overlapSeconds: 3_600 })).status).toBe(200);
    // An old push token, a window of two days, and a first failure, which would be one too many after a day.
    wechat.misbehave({ kind: "errcode", errcode: -1, errmsg: "system error", path: /custom\/send/, times: 1 });
    connectPush("ahead");
    expect((await desk.pushText("oA", "two", { unsigned: true })).status).toBe(200);
    const { messages } = await sent(2);
    expect(messages.map(({ text, state }) => [text, state])).toEqual([
      ["hello", "forwarded"],
      ["one", "sent"],
      ["two", "sent"],
    ]);
    expect(wechat.calls(/token/)).toBe(1);
  });
});
