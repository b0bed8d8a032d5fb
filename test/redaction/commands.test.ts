import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildBefore, wxdesk } from "../cli/wxdesk.ts";
import { copyDataFolder, prepareDataFolder } from "../crash/stage.ts";
import { spawnGateway } from "../support/process.ts";
import { createMarks } from "./marks.ts";

prepareDataFolder();
buildBefore();

const secrets = createMarks();
const secret = (name: string) => secrets.add(name, randomBytes(16).toString("hex"));
const SHOP = {
  id: "shop",
  name: "Shop",
  kind: "official_account",
  wechat: {
    appId: "wx0123456789abcdef",
    appSecret: secret("appSecret"),
    token: secret("token"),
    encodingAesKey: secrets.add("encodingAesKey", randomBytes(33).toString("hex").slice(0, 43)),
    apiBaseUrl: "http://127.0.0.1:9",
  },
  desk: { protocol: "udesk-message-interface", url: "http://127.0.0.1:9/im_callback", key: secret("desk key") },
};

/** The real command, with everything that it wrote on either stream; the push address is shown this once, and marked. */
function createShell(cwd: string, environment: Record<string, string>) {
  const outputs: string[] = [];
  const run = async (args: string[], { input = "", more = {} }: { input?: string; more?: Record<string, string> } = {}) => {
    const ended = await wxdesk(args, { cwd, environment: { ...environment, ...more }, input });
    const pushUrl = /\* message push server address +(\S+)/.exec(ended.stdout)?.[1];
    if (pushUrl !== undefined) secrets.add("push token", pushUrl.split("/").at(-1) ?? "");
    outputs.push((pushUrl === undefined ? ended.stdout : ended.stdout.replace(pushUrl, "…")) + ended.stderr);
    return ended.code;
  };
  return { outputs, run };
}

test("commands beside a gateway show neither the key of the moment nor any other secret; nor does the gateway", async () => {
  const folder = await copyDataFolder();
  const environment = {
    WXDESK_DATA_DIR: folder,
    WXDESK_PORT: "0",
    WXDESK_ADMIN_KEY: secret("admin key"),
    WXDESK_API_KEY: secret("key of the command line"),
    WXDESK_LOG_LEVEL: "trace",
  };
  const gateway = spawnGateway(environment, folder);
  const address = await gateway.listening();
  secrets.add("key of the moment", JSON.parse(await readFile(join(folder, "local-api.json"), "utf8")).key);
  secrets.add("generated master key", (await readFile(join(folder, "master.key"), "utf8")).trim());

  const { outputs, run } = createShell(folder, environment);
  expect(await run(["account", "add", "--file", "-", "--verbose"], { input: JSON.stringify(SHOP) })).toBe(0);
  expect(await run(["account", "show", "shop", "--json"])).toBe(0);
  expect(await run(["secret", "rotate", "shop", "deskKey", "--value-file", "-"], { input: secret("new desk key") })).toBe(0);
  expect(await run(["doctor", "--verbose"])).toBe(1);
  // WXDESK_API_KEY is not one of this gateway's.
  expect(await run(["account", "list", "--url", address, "--verbose"])).toBe(1);
  expect(await run(["master-key", "rotate", "--verbose"])).toBe(1);
  expect(await run(["account", "list"], { more: { WXDESK_API_KEY_FILE: "x" } })).toBe(2);
  expect(await gateway.stop()).toBe(0);

  expect(gateway.output).toContain('"msg":"gateway.started"');
  expect(outputs.join("\n")).toMatch(
    /Account "shop" is created[\s\S]*is replaced[\s\S]*FAILED +desk[\s\S]*UNAUTHORIZED[\s\S]*DATA_FOLDER_IN_USE/,
  );
  expect(secrets.findIn(gateway.output + outputs.join("\n"))).toEqual([]);
});

test("commands on the folder itself, a rotation of the master key and wrong settings show no key", async () => {
  const folder = await copyDataFolder();
  const key = (name: string) => secrets.add(name, randomBytes(32).toString("base64"));
  const old = { WXDESK_MASTER_KEY: key("old master key") };
  const next = { WXDESK_MASTER_KEY: key("new master key"), WXDESK_MASTER_KEY_PREVIOUS: old.WXDESK_MASTER_KEY };
  const { outputs, run } = createShell(folder, { WXDESK_DATA_DIR: folder, WXDESK_ADMIN_KEY: secret("admin key of the folder") });

  expect(await run(["account", "add", "--file", "-", "--verbose"], { input: JSON.stringify(SHOP), more: old })).toBe(0);
  expect(await run(["master-key", "rotate", "--verbose"], { more: next })).toBe(0);
  expect(await run(["account", "list", "--verbose"], { more: old })).toBe(1);
  expect(await run(["doctor"], { more: old })).toBe(1);
  expect(await run(["doctor"], { more: { WXDESK_MASTER_KEY: `${old.WXDESK_MASTER_KEY}x` } })).toBe(1);
  expect(await run(["account", "list"], { more: { WXDESK_MASTER_KEI: old.WXDESK_MASTER_KEY } })).toBe(2);
  const { WXDESK_MASTER_KEY } = next;
  const sign = ["sign", "--check", `http://127.0.0.1:9/im_callback?sign=${secret("a sign")}`, "--key-file", "-"];
  expect(await run(sign, { input: SHOP.desk.key, more: { WXDESK_MASTER_KEY } })).toBe(1);

  expect(outputs.join("\n")).toMatch(
    /values encrypted anew[\s\S]*MASTER_KEY_WRONG[\s\S]*FAILED +masterKey[\s\S]*did you mean WXDESK_MASTER_KEY\?/,
  );
  expect(secrets.findIn(outputs.join("\n"))).toEqual([]);
});
