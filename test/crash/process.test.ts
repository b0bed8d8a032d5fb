import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callApi, eventually } from "../support/gateway.ts";
import { spawnGateway } from "../support/process.ts";
import { copyDataFolder, prepareDataFolder, startStage } from "./stage.ts";

prepareDataFolder();

const QUEUEING = { status: "queueing", turn: 1, agent_name: "", msg: "" };
const toSettings = (folder: string, settings: Record<string, string> = {}) => ({ WXDESK_PORT: "0", WXDESK_DATA_DIR: folder, ...settings });

test("the first start makes a master key and prints an admin key; a later one keeps both and prints nothing", async () => {
  const folder = await copyDataFolder();
  const first = spawnGateway(toSettings(folder), folder);
  await first.listening();
  const { adminKey } = first;
  const masterKey = await readFile(join(folder, "master.key"), "utf8");
  expect(adminKey).toMatch(/^wxk_[\w-]{32}$/);
  expect(first.output).not.toContain(masterKey.trim());
  await first.kill();

  const second = spawnGateway(toSettings(folder), folder);
  const address = await second.listening();
  expect(second.adminKey).toBeNull();
  expect(await readFile(join(folder, "master.key"), "utf8")).toBe(masterKey);
  expect((await callApi(address, "GET", "/accounts", undefined, adminKey)).status).toBe(200);
});

test("a second process on the same data folder is refused with a remedy, and the first one serves on", async () => {
  const folder = await copyDataFolder();
  const first = spawnGateway(toSettings(folder), folder);
  const address = await first.listening();
  const second = spawnGateway(toSettings(folder), folder);
  expect(await second.exited()).toBe(2);
  expect(second.output).toMatch(/^DATA_FOLDER_IN_USE: .*WXDESK_DATA_DIR/m);
  expect(second.output).not.toMatch(/^\s+at /m);
  expect((await fetch(`${address}/readyz`)).status).toBe(200);
});

test("a wrong master key ends the start with a clear message, and the right one still works", async () => {
  const masterKey = randomBytes(32).toString("base64");
  const { folder, gateway } = await startStage({ environment: { WXDESK_MASTER_KEY: masterKey } });
  expect(await gateway.stop()).toBe(0);

  const wrong = spawnGateway(toSettings(folder, { WXDESK_MASTER_KEY: randomBytes(32).toString("base64") }), folder);
  expect(await wrong.exited()).toBe(2);
  expect(wrong.output).toMatch(/^MASTER_KEY_WRONG: .*WXDESK_MASTER_KEY/m);
  expect(wrong.output).not.toMatch(/^\s+at /m);

  const right = spawnGateway(toSettings(folder, { WXDESK_MASTER_KEY: masterKey }), folder);
  expect(await right.listening()).toMatch(/^http:/);
});

test("settings errors are printed all at once, without a stack, and nothing is opened", async () => {
  const folder = await copyDataFolder();
  const settings = { WXDESK_PORT: "many", WXDESK_ROLE: "both", WXDESK_PROT: "1", DATABASE_URL: "postgresql://user:hunter2@127.0.0.1/x" };
  const gateway = spawnGateway(toSettings(folder, settings), folder);
  expect(await gateway.exited()).toBe(2);
  expect(gateway.output).toMatch(/^SETTINGS_INVALID: /m);
  for (const name of ["WXDESK_PORT", "WXDESK_ROLE", "WXDESK_PROT", "WXDESK_MASTER_KEY"]) expect(gateway.output).toContain(`- ${name} `);
  expect(gateway.output).not.toMatch(/^\s+at |hunter2/m);
});

test("at SIGTERM an open callback still gets its reply, the reply is known as sent, and the exit code is 0", async () => {
  const stage = await startStage();
  stage.desk.setAnswer("*", { ...QUEUEING, msg: "1 customer before you" });
  stage.desk.misbehave({ kind: "late", ms: 1_500 });
  const delivery = stage.account.wechat.sendText("oA", "hello");
  await stage.desk.waitForReceived("oA", 1);
  const exit = stage.gateway.stop();
  expect(await delivery).toMatchObject({ acknowledged: true, reply: { text: "1 customer before you" } });
  expect(await exit).toBe(0);

  await stage.restart();
  const { messages } = await stage.look("oA");
  expect(messages.map(({ state }) => state)).toEqual(["forwarded", "sent"]);
});

test("at SIGTERM /readyz says so while callbacks are open, and what still comes is stored and acknowledged at once", async () => {
  const stage = await startStage();
  stage.desk.setAnswer("*", QUEUEING);
  const back = stage.desk.misbehave({ kind: "late", ms: 60_000 });
  const open = stage.account.wechat.sendText("oA", "hello");
  await stage.desk.waitForReceived("oA", 1);
  const address = await stage.gateway.listening();
  const exit = stage.gateway.stop();
  const readiness = await eventually(
    "readiness to end",
    async () => {
      const response = await fetch(`${address}/readyz`);
      return { status: response.status, body: await response.json() };
    },
    ({ status }) => status === 503,
  );
  expect(readiness.body).toMatchObject({ checks: { stopping: "yes", database: "ok" } });
  expect(await stage.account.wechat.sendText("oB", "in the last moment")).toMatchObject({ acknowledged: true, reply: null });
  expect(await open).toMatchObject({ acknowledged: true });
  expect(await exit).toBe(0);
  back();
  await stage.restart();
  expect((await stage.look("oB")).messages.map(({ text }) => text)).toEqual(["in the last moment"]);
});

test("at SIGTERM a callback that waits in vain is acknowledged, and its message goes on after the restart", async () => {
  const stage = await startStage({ account: { replies: { passiveWaitMs: 1_500 } } });
  stage.desk.setAnswer("*", QUEUEING);
  const back = stage.desk.misbehave({ kind: "late", ms: 60_000 });
  const delivery = stage.account.wechat.sendText("oA", "hello");
  await stage.desk.waitForReceived("oA", 1);
  const exit = stage.gateway.stop();
  expect(await delivery).toMatchObject({ acknowledged: true, failed: false, reply: null });
  expect(await exit).toBe(0);
  back();
  await stage.restart();
  await stage.desk.waitForReceived("oA", 2);
  await eventually(
    "the message to be forwarded",
    () => stage.look("oA"),
    ({ messages }) => messages[0]?.state === "forwarded",
  );
});

/** A connection that says this and no more. */
async function open(address: string, text: string): Promise<void> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname, () => socket.write(text));
  socket.on("error", () => {});
  await once(socket, "connect");
}

const UNFINISHED = "POST /wechat/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n<xml>";

test("a client that never finishes its request does not keep the process from stopping", async () => {
  const folder = await copyDataFolder();
  const gateway = spawnGateway(toSettings(folder), folder);
  const address = await gateway.listening();
  await Promise.all(["", UNFINISHED].map((text) => open(address, text)));
  // Its request would be open for ever: that the process ends shows that it does not wait for it.
  expect(await gateway.stop()).toBe(0);
});

test("a stop that waits for a client as long as it may still has the time to give back what its worker holds", async () => {
  const stage = await startStage({ account: { replies: { passiveWaitMs: 0 } } });
  const back = stage.desk.misbehave({ kind: "late", ms: 60_000 });
  await stage.account.wechat.sendText("oA", "hello");
  await stage.desk.waitForReceived("oA", 1);
  await open(stage.account.callbackUrl, UNFINISHED);
  expect(await stage.gateway.stop()).toBe(0);
  expect(stage.gateway.output).not.toContain("gateway.stop-failed");
  back();
  await stage.restart();
  await stage.desk.waitForReceived("oA", 2);
});
