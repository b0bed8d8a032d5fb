import { randomBytes } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "../src/app/app.ts";
import { readConfig } from "../src/config.ts";
import { startDesk } from "../src/emulators/desk.ts";
import { ADMIN_KEY, type ConnectedAccount, callApi, eventually, type Gateway, startGateway } from "./support/gateway.ts";

const KINDS = ["official_account", "wecom"] as const;
const NEW_TOKEN = "TheNewTokenOfTheShop";
const NEW_DESK_KEY = "fedcba9876543210fedcba9876543210";

const CHATTING = { status: "chatting", turn: 0, agent_name: "Lily", msg: "" };
const QUEUEING = { status: "queueing", turn: 2, agent_name: "", msg: "2 customers before you" };

interface Rotated {
  pushUrl: string;
  generated: { token?: string; encodingAesKey?: string };
}

async function rotate({ api }: Pick<Gateway, "api">, { id }: ConnectedAccount, name: string, body: object = {}): Promise<Rotated> {
  const answer = await api<Rotated>("POST", `/accounts/${id}/secrets/${name}`, body);
  expect(answer.status).toBe(200);
  return answer.body;
}

async function revoke({ api }: Gateway, { id }: ConnectedAccount, name: string): Promise<void> {
  expect((await api("DELETE", `/accounts/${id}/secrets/${name}/previous`)).status).toBe(200);
}

/** What is entered in the platform's console, in whichever order its operator does it. */
function enter({ wechat }: ConnectedAccount, changed: { token?: string; encodingAesKey?: string }): void {
  wechat.details = { ...wechat.details, ...changed };
}

/** Token and EncodingAESKey, old and new, each with each. */
async function rotateCallback(gateway: Gateway, account: ConnectedAccount, overlapSeconds: number) {
  const { token, encodingAesKey } = account.wechat.details;
  await rotate(gateway, account, "token", { value: NEW_TOKEN, overlapSeconds });
  const { generated } = await rotate(gateway, account, "encodingAesKey", { overlapSeconds });
  const old = { token, encodingAesKey };
  const next = { token: NEW_TOKEN, encodingAesKey: generated.encodingAesKey ?? "" };
  return { old, next, pairings: [old, next, { ...old, token: next.token }, { ...next, token: old.token }] };
}

describe.each(KINDS)("%s, while its callback's credentials are rotated", (kind) => {
  test("callbacks with any old and any new part are taken, and each reply can be read with the callback's own", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect(kind, { replies: { notices: "always" } });
    gateway.desk.setAnswer("*", QUEUEING);
    const { old, next, pairings } = await rotateCallback(gateway, account, 3600);
    for (const [index, pairing] of pairings.entries()) {
      enter(account, pairing);
      expect(await account.wechat.verifyUrl()).toMatchObject({ ok: true });
      const delivery = await account.wechat.sendText(`oCustomer${index}`, "hello");
      expect(delivery).toMatchObject({ failed: false, reply: { text: "2 customers before you" } });
    }

    await revoke(gateway, account, "token");
    await revoke(gateway, account, "encodingAesKey");
    enter(account, old);
    expect((await account.wechat.sendText("oLate", "hello")).tries.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(await account.wechat.verifyUrl()).toMatchObject({ status: 401 });
    enter(account, { ...old, token: next.token });
    expect((await account.wechat.sendText("oLate", "hello")).tries.map(({ status }) => status)).toEqual([400, 400, 400]);
    enter(account, next);
    expect((await account.wechat.sendText("oLate", "hello")).reply).toMatchObject({ text: "2 customers before you" });
  });

  test("the old credential ends by itself when its overlap is over", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect(kind);
    const { next } = await rotateCallback(gateway, account, 1);
    await eventually(
      "the end of the overlap",
      () => account.wechat.verifyUrl(),
      ({ status }) => status === 401,
    );
    enter(account, next);
    expect(await account.wechat.verifyUrl()).toMatchObject({ ok: true });
  });

  test("a callback that is repeated in another credential gets the same reply, in that one", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect(kind);
    gateway.desk.setAnswer("*", CHATTING);
    const same = { MsgId: "9007199254740993", CreateTime: String(Math.floor(Date.now() / 1_000)) };
    const first = account.wechat.sendText("oCustomer", "is it in stock?", same);
    await gateway.desk.waitForReceived("oCustomer", 1);
    await gateway.desk.pushText("oCustomer", "yes, 3 left");
    const said = (await first).reply;
    expect(said).toMatchObject({ text: "yes, 3 left" });

    const { pairings } = await rotateCallback(gateway, account, 3600);
    for (const pairing of pairings) {
      enter(account, pairing);
      expect((await account.wechat.sendText("oCustomer", "is it in stock?", same)).reply).toEqual(said);
    }
    expect(gateway.desk.received("oCustomer")).toHaveLength(1);
  });

  test("a callback that is open when its credential ends still gets its reply in it", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect(kind);
    gateway.desk.setAnswer("*", CHATTING);
    const open = account.wechat.sendText("oCustomer", "is it in stock?");
    await gateway.desk.waitForReceived("oCustomer", 1);
    await rotate(gateway, account, "token", { value: NEW_TOKEN, overlapSeconds: 0 });
    await rotate(gateway, account, "encodingAesKey", { overlapSeconds: 0 });
    await gateway.desk.pushText("oCustomer", "yes, 3 left");
    expect(await open).toMatchObject({ failed: false, reply: { text: "yes, 3 left" } });
    expect(await account.wechat.verifyUrl()).toMatchObject({ status: 401 });
  });
});

test.each(["plain", "compatible"])("a %s account takes the old and the new token", async (encryption) => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account", { wechat: { encryption }, replies: { notices: "always" } });
  gateway.desk.setAnswer("*", QUEUEING);
  await rotate(gateway, account, "token", { value: NEW_TOKEN });
  for (const token of [account.wechat.details.token, NEW_TOKEN]) {
    enter(account, { token });
    expect(await account.wechat.sendText(`o${token}`, "hello")).toMatchObject({ reply: { text: "2 customers before you" } });
  }
});

test("the desk's key: what goes out is signed with the new one at once, pushes with either until the old one is revoked", async () => {
  const gateway = await startGateway();
  const renewed = await startDesk({ key: NEW_DESK_KEY });
  onTestFinished(renewed.close);
  renewed.setAnswer("*", { ...QUEUEING, msg: "" });
  const account = await gateway.connect("official_account", { desk: { url: renewed.url, requireSign: true } });
  renewed.connectPush(account.pushUrl);

  await account.wechat.sendText("oCustomer", "hello");
  expect(renewed.received("oCustomer")).toEqual([]);
  await rotate(gateway, account, "deskKey", { value: NEW_DESK_KEY });
  await renewed.waitForReceived("oCustomer", 1);

  expect((await gateway.desk.pushText("oCustomer", "signed with the old key")).status).toBe(200);
  expect((await renewed.pushText("oCustomer", "signed with the new key")).status).toBe(200);
  await revoke(gateway, account, "deskKey");
  expect((await gateway.desk.pushText("oCustomer", "too late")).status).toBe(401);
  expect((await renewed.pushText("oCustomer", "still fine")).status).toBe(200);
  const texts = ["signed with the old key", "signed with the new key", "still fine"];
  expect((await gateway.wechat.waitForSeen("oCustomer", 3)).map(({ text }) => text)).toEqual(texts);
});

test("the push token: both addresses are taken until the old one is revoked", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", QUEUEING);
  await account.wechat.sendText("oCustomer", "hello");
  const { pushUrl } = await rotate(gateway, account, "pushToken");
  const push = async (address: string, text: string) => {
    gateway.desk.connectPush(address);
    return (await gateway.desk.pushText("oCustomer", text)).status;
  };
  expect(pushUrl).not.toBe(account.pushUrl);
  expect(await push(account.pushUrl, "by the old address")).toBe(200);
  expect(await push(pushUrl, "by the new address")).toBe(200);
  await revoke(gateway, account, "pushToken");
  expect(await push(account.pushUrl, "too late")).toBe(401);
  expect(await push(pushUrl, "still fine")).toBe(200);
});

test("the app's secret: the next message is sent with an access token of the new one", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", { ...QUEUEING, msg: "" });
  await account.wechat.sendText("oCustomer", "hello");
  await gateway.desk.pushText("oCustomer", "first");
  await gateway.wechat.waitForSeen("oCustomer", 1);
  expect(gateway.wechat.calls("/cgi-bin/stable_token")).toBe(1);

  account.wechat.details = { ...account.wechat.details, appSecret: "another-app-secret" } as typeof account.wechat.details;
  gateway.wechat.expireTokens();
  await rotate(gateway, account, "appSecret", { value: "another-app-secret" });
  await gateway.desk.pushText("oCustomer", "second");
  expect((await gateway.wechat.waitForSeen("oCustomer", 2)).map(({ text }) => text)).toEqual(["first", "second"]);
  expect(gateway.wechat.calls("/cgi-bin/stable_token")).toBe(2);
  expect(gateway.wechat.calls("/cgi-bin/message/custom/send")).toBe(2);
});

describe.runIf(process.env.TEST_DATABASE_URL)("replicas", () => {
  test("another replica takes the new credential within its second, and forgets what is revoked", async () => {
    const masterKey = randomBytes(32).toString("base64");
    const gateway = await startGateway({ environment: { WXDESK_MASTER_KEY: masterKey } });
    const account = await gateway.connect("official_account");
    const environment = { WXDESK_PORT: "0", WXDESK_LOG_LEVEL: "silent", WXDESK_ADMIN_KEY: ADMIN_KEY, WXDESK_MASTER_KEY: masterKey };
    const other = await createApp(readConfig(environment), { database: gateway.database.address });
    onTestFinished(other.close);
    await other.listen();
    account.wechat.callbackUrl = other.address + new URL(account.callbackUrl).pathname;
    expect(await account.wechat.verifyUrl()).toMatchObject({ ok: true });

    const old = account.wechat.details.token;
    await rotate(gateway, account, "token", { value: NEW_TOKEN });
    enter(account, { token: NEW_TOKEN });
    const check = () => account.wechat.verifyUrl();
    await eventually("the other replica's knowledge of the new token", check, ({ ok }) => ok);
    enter(account, { token: old });
    expect(await account.wechat.verifyUrl()).toMatchObject({ ok: true });
    const api: Gateway["api"] = (method, path, body, key = ADMIN_KEY) => callApi(other.address, method, path, body, key);
    await revoke({ ...gateway, api }, account, "token");
    expect(await account.wechat.verifyUrl()).toMatchObject({ status: 401 });
    account.wechat.callbackUrl = account.callbackUrl;
    await eventually("the first replica's knowledge of the revocation", check, ({ status }) => status === 401);
  });
});
