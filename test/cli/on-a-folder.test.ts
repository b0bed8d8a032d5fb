import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "../../src/app/app.ts";
import { readConfig } from "../../src/config.ts";
import { startDesk } from "../../src/emulators/desk.ts";
import { startWechat } from "../../src/emulators/wechat.ts";
import { copyDataFolder, prepareDataFolder } from "../crash/stage.ts";
import { ADMIN_KEY, callApi, connect, DESK_KEY } from "../support/gateway.ts";
import { wxdeskHere } from "./wxdesk.ts";

prepareDataFolder();

let environment: Record<string, string>;

beforeEach(async () => {
  environment = { WXDESK_DATA_DIR: await copyDataFolder(), WXDESK_PORT: "0", WXDESK_LOG_LEVEL: "silent", WXDESK_ADMIN_KEY: ADMIN_KEY };
});

const on = (args: string[], more: Record<string, string> = {}) => wxdeskHere(args, { environment: { ...environment, ...more } });

/** A gateway on the folder, with a connected account; it stops with the test, or before. */
async function start(more: Record<string, string> = {}) {
  const [wechat, desk] = await Promise.all([startWechat(), startDesk({ key: DESK_KEY })]);
  const app = await createApp(readConfig({ ...environment, ...more }));
  const address = await app.listen();
  let isOpen = true;
  const stop = async () => {
    if (isOpen) await app.close();
    isOpen = false;
  };
  onTestFinished(async () => {
    await stop();
    await Promise.all([wechat.close(), desk.close()]);
  });
  const gateway = {
    wechat,
    desk,
    api: <T>(method: string, path: string, body?: unknown) => callApi<T>(address, method, path, body, ADMIN_KEY),
  };
  const account = await connect(gateway, "official_account");
  return { ...gateway, account, address, stop };
}

describe("doctor", () => {
  test("of a healthy gateway ends with 0: asked while it runs, after it has stopped, and from elsewhere", async () => {
    const { account, address, stop } = await start();
    expect(await account.wechat.verifyUrl()).toMatchObject({ ok: true });
    const elsewhere = await wxdeskHere(["doctor", "--url", address], { environment: { WXDESK_API_KEY: ADMIN_KEY } });
    expect(elsewhere).toMatchObject({ code: 0, stdout: expect.stringMatching(/^warning +publicUrl +shop/m) });
    // Of a machine that runs no gateway there is nothing to be said.
    expect(elsewhere.stdout).not.toMatch(/^\S+ +(settings|database) /m);

    const running = await on(["doctor"]);
    expect(running).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok +database .*a gateway is running on/m), stderr: "" });
    expect(running.stdout).toMatch(/^ok +accessToken +shop/m);
    await stop();
    const stopped = await on(["doctor", "--json"]);
    expect(stopped.code).toBe(0);
    expect(JSON.parse(stopped.stdout)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: "masterKey", ok: true }),
        expect.objectContaining({ name: "desk", account: "shop", ok: true }),
      ]),
    );
  });

  test("makes nothing where there is nothing yet, and opens nothing that a start would change", async () => {
    const empty = await mkdtemp(join(tmpdir(), "wxdesk-doctor-"));
    onTestFinished(() => rm(empty, { recursive: true }));
    const ended = await on(["doctor"], { WXDESK_DATA_DIR: empty, WXDESK_ADMIN_KEY: "" });
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("the first start makes it"), stderr: "" });
    expect(ended.stdout).toContain("start the gateway, then ask again");
    expect(await readdir(empty)).toEqual([]);
    // Tables, but no key yet: it would be made and printed here, where nobody expects it.
    expect(await on(["doctor"], { WXDESK_ADMIN_KEY: "" })).toMatchObject({ code: 0, stderr: "" });
    expect(await readdir(environment.WXDESK_DATA_DIR ?? "")).not.toContain("master.key");
  });

  test.each([
    ["a setting that cannot be used", { WXDESK_PORT: "many" }, "WXDESK_PORT must be a whole number"],
    ["a misspelt setting", { WXDESK_ROEL: "all" }, "did you mean WXDESK_ROLE?"],
    ["another master key", { WXDESK_MASTER_KEY: randomBytes(32).toString("base64") }, "a master key that is not at hand"],
    [
      "a database that is not there",
      { DATABASE_URL: "postgresql://u:p@127.0.0.1:9/d", WXDESK_MASTER_KEY: randomBytes(32).toString("base64") },
      "no connection to PostgreSQL",
    ],
  ])("of %s ends with 1 and says so", async (_what, more: Record<string, string>, sentence) => {
    await (await start()).stop();
    expect(await on(["doctor"], more)).toMatchObject({ code: 1, stdout: expect.stringContaining(sentence) });
  });

  test("of a desk that refuses, an account that may not send, or a gateway that refuses the key ends with 1 and says so", async () => {
    const { account, address, api } = await start();
    account.wechat.maySend = false;
    await api("PATCH", "/accounts/shop", { desk: { key: "another-key-0123456789" } });
    const { code, stdout } = await on(["doctor"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAILED +desk +shop .*refused the signature/m);
    expect(stdout).toMatch(/^FAILED +permissionToSend +shop .*48001/m);
    const refused = await wxdeskHere(["doctor", "--url", address], { environment: { WXDESK_API_KEY: "wrong-key" } });
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining("UNAUTHORIZED: the API key is unknown") });
  });
});

test("wrong keys that somebody else on this machine sends do not lock the command line out of its gateway", async () => {
  const { address } = await start();
  const guess = (key: string) => fetch(`${address}/api/v1/accounts`, { headers: { authorization: `Bearer ${key}` } });
  const statuses: number[] = [];
  for (let count = 0; count < 12; count += 1) statuses.push((await guess(`guess-${count}`)).status);
  expect(statuses.slice(-2)).toEqual([429, 429]);
  expect(await on(["account", "list"])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^shop /m), stderr: "" });
});

describe("master-key rotate", () => {
  test("makes a new key file while no gateway runs, and the accounts work on", async () => {
    const folder = environment.WXDESK_DATA_DIR ?? "";
    const { stop } = await start();
    expect(await on(["master-key", "rotate"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^DATA_FOLDER_IN_USE: .*stop it/) });
    await stop();
    const before = await readFile(join(folder, "master.key"), "utf8");
    const ended = await on(["master-key", "rotate"]);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[1-9]\d* values encrypted anew[\s\S]*back up .*master\.key/) });
    const after = await readFile(join(folder, "master.key"), "utf8");
    expect(after).not.toBe(before);
    expect(ended.stdout).not.toContain(after.trim());
    expect(await readdir(folder)).not.toContain("master.key.previous");
    expect(await on(["account", "test", "shop"])).toMatchObject({ code: expect.any(Number), stdout: expect.stringMatching(/^ok +desk/m) });
    await writeFile(join(folder, "master.key"), before);
    expect(await on(["account", "list"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^MASTER_KEY_WRONG: /) });
  });

  test("follows the settings, may be repeated, and the old key is not needed any more", async () => {
    const [old, next] = [randomBytes(32).toString("base64"), randomBytes(32).toString("base64")];
    await (await start({ WXDESK_MASTER_KEY: old })).stop();
    expect(await on(["master-key", "rotate"], { WXDESK_MASTER_KEY: next })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^MASTER_KEY_WRONG: /),
    });
    const both = { WXDESK_MASTER_KEY: next, WXDESK_MASTER_KEY_PREVIOUS: old };
    const first = await on(["master-key", "rotate", "--json"], both);
    expect(JSON.parse(first.stdout)).toMatchObject({ reencrypted: expect.any(Number), next: expect.stringContaining("Remove") });
    expect(JSON.parse((await on(["master-key", "rotate", "--json"], both)).stdout)).toMatchObject({ reencrypted: 0 });
    expect(await on(["account", "test", "shop"], { WXDESK_MASTER_KEY: next })).toMatchObject({
      stdout: expect.stringMatching(/^ok +desk/m),
    });
    expect(first.stdout + first.stderr).not.toContain(next.slice(0, 12));
  });
});
