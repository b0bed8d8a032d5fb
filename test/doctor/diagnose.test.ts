import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "../../src/app/app.ts";
import { readConfig } from "../../src/config.ts";
import { diagnose } from "../../src/doctor/diagnose.ts";
import type { GatewayApi } from "../../src/doctor/diagnose-accounts.ts";
import { type Finding, isHealthy } from "../../src/doctor/finding.ts";
import { copyDataFolder, prepareDataFolder } from "../crash/stage.ts";
import { ADMIN_KEY, callApi, type Gateway, startGateway } from "../support/gateway.ts";

prepareDataFolder();

let folder: string;
let settings: Record<string, string>;

beforeEach(async () => {
  folder = await copyDataFolder();
  settings = { WXDESK_DATA_DIR: folder, WXDESK_PORT: "0", WXDESK_LOG_LEVEL: "silent", WXDESK_ADMIN_KEY: ADMIN_KEY };
});

/** A gateway on this test's folder, until the test ends or it is closed. */
async function start(more: Record<string, string> = {}) {
  const app = await createApp(readConfig({ ...settings, ...more }));
  let isOpen = true;
  const close = async () => {
    if (isOpen) await app.close();
    isOpen = false;
  };
  onTestFinished(close);
  return { address: await app.listen(), close };
}

/** A path to the API as the command line makes it. */
function toApi(call: Gateway["api"]): GatewayApi {
  const ask = async (method: string, path: string) => {
    const { status, body } = await call(method, path);
    if (status >= 400) throw new Error(String(body.detail));
    return body;
  };
  return { get: (path) => ask("GET", path), post: (path) => ask("POST", path) };
}

const toShop = (more: object = {}) => ({
  id: "shop",
  name: "Shop",
  kind: "official_account",
  wechat: { appId: "wx0123456789abcdef", appSecret: "app-secret", apiBaseUrl: "http://127.0.0.1:9" },
  desk: { protocol: "udesk-message-interface", url: "http://127.0.0.1:9/im_callback", key: "desk-key" },
  ...more,
});

/** An account in the folder's database, made by a gateway that has gone again. */
async function storeAccount(more: Record<string, string> = {}): Promise<void> {
  const { address, close } = await start(more);
  expect((await callApi(address, "POST", "/accounts", toShop(), ADMIN_KEY)).status).toBe(201);
  await close();
}

const find = (findings: Finding[], name: string, account?: string) =>
  findings.find((finding) => finding.name === name && finding.account === account);

describe("the settings", () => {
  test("show all their problems at once, each with a remedy, and nothing else is tried", async () => {
    const environment = { ...settings, WXDESK_PORT: "many", WXDESK_ROEL: "http" };
    const findings = await diagnose(environment, async () => Promise.reject(new Error("must not be opened")));
    expect(findings.filter(({ name }) => name === "settings")).toMatchObject([
      { ok: false, what: expect.stringMatching(/^WXDESK_ROEL .*did you mean WXDESK_ROLE\?/), remedy: expect.any(String) },
      { ok: false, what: expect.stringMatching(/^WXDESK_PORT must be a whole number/), why: expect.stringContaining("does not start") },
    ]);
    expect(isHealthy(findings)).toBe(false);
  });
});

describe("an embedded database", () => {
  test("that is not there yet is not made", async () => {
    const empty = await mkdtemp(join(tmpdir(), "wxdesk-doctor-"));
    onTestFinished(() => rm(empty, { recursive: true }));
    const findings = await diagnose({ ...settings, WXDESK_DATA_DIR: empty }, null);
    expect(find(findings, "database")).toMatchObject({ ok: true, what: expect.stringContaining("the first start makes it") });
    expect(await readdir(empty)).toEqual([]);
  });

  test("that is in use is left to the gateway that has it, which is asked for the accounts", async () => {
    const { address } = await start();
    await callApi(address, "POST", "/accounts", toShop(), ADMIN_KEY);
    const api = toApi((method, path, body) => callApi(address, method, path, body, ADMIN_KEY));
    const findings = await diagnose(settings, api);
    expect(find(findings, "database")).toMatchObject({ ok: true, what: `a gateway is running on ${folder}` });
    expect(find(findings, "desk", "shop")).toMatchObject({ ok: false, what: expect.stringContaining("the desk cannot be reached") });
  });

  test("is looked at before a gateway is opened on it, and is free by then", async () => {
    await storeAccount();
    const findings = await diagnose(settings, async () => {
      const { address } = await start();
      return toApi((method, path, body) => callApi(address, method, path, body, ADMIN_KEY));
    });
    expect(find(findings, "database")).toMatchObject({ ok: true, what: expect.stringMatching(/PostgreSQL \d/), ms: expect.any(Number) });
    expect(find(findings, "migrations")).toMatchObject({ ok: true });
    expect(find(findings, "masterKey")).toMatchObject({ ok: true, what: "the master key opens the stored secrets" });
    expect(find(findings, "adminKey")).toMatchObject({ ok: true });
    expect(find(findings, "publicUrl")).toMatchObject({ ok: "warning", what: expect.stringContaining("127.0.0.1") });
    expect(find(findings, "accessToken", "shop")).toMatchObject({ ok: false, what: expect.stringContaining("no connection") });
    expect(findings.filter(({ name }) => name === "publicUrl")).toHaveLength(1);
  });

  test("with a wrong master key says so, and no gateway is opened", async () => {
    await storeAccount();
    const wrong = { ...settings, WXDESK_MASTER_KEY: randomBytes(32).toString("base64") };
    const findings = await diagnose(wrong, async () => Promise.reject(new Error("must not be opened")));
    expect(find(findings, "masterKey")).toMatchObject({
      ok: false,
      what: expect.stringMatching(/encrypted with a master key that is not at hand: [0-9a-f]{8} \(account "[a-z]+"\)$/),
      remedy: expect.stringContaining("WXDESK_MASTER_KEY"),
    });
    expect(find(findings, "accounts")).toMatchObject({ ok: "warning", remedy: "mend what has failed, then ask again" });
  });

  test("whose key file is gone says which one to put back, and makes no other", async () => {
    await storeAccount();
    await rm(join(folder, "master.key"));
    expect(find(await diagnose(settings, null), "masterKey")).toMatchObject({
      ok: false,
      what: expect.stringContaining("master.key is not there"),
    });
    expect(await readdir(folder)).not.toContain("master.key");
    await writeFile(join(folder, "master.key"), "not a key");
    expect(find(await diagnose(settings, null), "masterKey")).toMatchObject({
      ok: false,
      what: expect.stringContaining("32 bytes in base64"),
    });
  });

  test("each master key that was ever used is tried: a rotation that is half-way needs both", async () => {
    const [first, second] = [randomBytes(32).toString("base64"), randomBytes(32).toString("base64")];
    await storeAccount({ WXDESK_MASTER_KEY: first });
    const { address, close } = await start({ WXDESK_MASTER_KEY: second, WXDESK_MASTER_KEY_PREVIOUS: first });
    await callApi(address, "PATCH", "/accounts/shop", { desk: { key: "another-key" } }, ADMIN_KEY);
    await close();
    const both = { ...settings, WXDESK_MASTER_KEY: second, WXDESK_MASTER_KEY_PREVIOUS: first };
    expect(find(await diagnose(both, null), "masterKey")).toMatchObject({ ok: true });
    expect(find(await diagnose({ ...settings, WXDESK_MASTER_KEY: second }, null), "masterKey")).toMatchObject({ ok: false });
    expect(find(await diagnose({ ...settings, WXDESK_MASTER_KEY: first }, null), "masterKey")).toMatchObject({ ok: false });
  });
});

describe("the accounts", () => {
  test("that work are healthy, and no secret is in any finding", async () => {
    const gateway = await startGateway();
    await gateway.connect("official_account");
    await gateway.connect("wecom");
    const findings = await diagnose(settings, toApi(gateway.api));
    expect(findings.filter(({ ok }) => ok === false)).toEqual([]);
    expect(findings.filter(({ account }) => account !== undefined).map(({ account, name }) => `${account} ${name}`)).toEqual([
      ...["desk", "accessToken", "permissionToSend", "keyShapes", "clock"].map((name) => `company ${name}`),
      ...["desk", "accessToken", "permissionToSend", "keyShapes", "clock", "reachableByWechat"].map((name) => `shop ${name}`),
    ]);
    expect(JSON.stringify(findings)).not.toMatch(/app-secret|corp-secret|tok3nForTests|0123456789abcdef0123456789abcdef|admin-key/);
  });

  test("show the warning that was noticed while sending; a disabled one is left alone", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect("official_account", { replies: { passiveWaitMs: 0 } });
    account.wechat.maySend = false;
    gateway.desk.setAnswer("*", { status: "chatting", turn: 0, agent_name: "Lily", msg: "" });
    await account.wechat.sendText("oA", "hello");
    await gateway.desk.waitForReceived("oA", 1);
    await gateway.desk.pushText("oA", "reply");
    for (;;) {
      const findings = await diagnose(settings, toApi(gateway.api));
      expect(find(findings, "permissionToSend", "shop")).toMatchObject({ ok: false, what: expect.stringContaining("48001") });
      const warning = find(findings, "warning", "shop");
      if (warning === undefined) continue;
      expect(warning).toMatchObject({ ok: "warning", what: expect.stringContaining("48001"), why: expect.stringContaining("held") });
      break;
    }
    await gateway.api("POST", "/accounts/shop/disable");
    expect(find(await diagnose(settings, toApi(gateway.api)), "account", "shop")).toMatchObject({
      ok: true,
      what: expect.stringContaining("disabled"),
    });
  });

  test("cannot be tested without a gateway, nor with a key that it refuses, and both are said", async () => {
    expect(find(await diagnose(settings, null), "accounts")).toMatchObject({
      ok: "warning",
      remedy: expect.stringContaining("start the gateway"),
    });
    const gateway = await startGateway();
    const refused = toApi((method, path, body) => gateway.api(method, path, body, "wrong-key"));
    expect(find(await diagnose(settings, refused), "accounts")).toMatchObject({
      ok: false,
      what: expect.stringContaining("the API key is unknown or no longer valid"),
      remedy: expect.stringContaining("role admin"),
    });
  });
});
