import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, cp, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { openLocked } from "../../src/app/open-store.ts";
import { readConfig } from "../../src/config.ts";
import { VERSION } from "../../src/version.ts";
import { copyDataFolder, prepareDataFolder } from "../crash/stage.ts";
import { createTestDatabase } from "../support/database.ts";
import { ADMIN_KEY, callApi } from "../support/gateway.ts";
import { spawnGateway } from "../support/process.ts";
import { BIN, buildBefore, wxdesk } from "./wxdesk.ts";

prepareDataFolder();
buildBefore();

const SHOP = {
  id: "shop",
  name: "Shop service account",
  kind: "official_account",
  wechat: { appId: "wx0123456789abcdef", appSecret: "app-secret-0123456789" },
  desk: { protocol: "udesk-message-interface", url: "https://example.udesk.cn/spa1/im_callback", key: "desk-key-0123456789" },
};

test("the package's bin is a file that the system may run", async () => {
  expect(fileURLToPath(new URL(`../../${packageJson.bin.wxdesk}`, import.meta.url))).toBe(BIN);
  expect((await stat(BIN)).mode & 0o111).toBe(0o111);
});

test("in a fresh checkout the first command builds, and says so beside its answer only", async () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const checkout = await mkdtemp(join(tmpdir(), "wxdesk-checkout-"));
  onTestFinished(() => rm(checkout, { recursive: true, force: true }));
  const parts = ["bin", "prisma", "scripts", "src", "package.json", "prisma.config.ts", "tsconfig.json", "tsconfig.build.json"];
  for (const part of parts) await cp(join(root, part), join(checkout, part), { recursive: true, preserveTimestamps: true });
  await symlink(join(root, "node_modules"), join(checkout, "node_modules"));

  const first = runIn(checkout);
  expect(first).toMatchObject({ code: 0, stdout: `${VERSION}\n`, stderr: expect.stringContaining("building") });
  expect(runIn(checkout)).toMatchObject({ code: 0, stdout: `${VERSION}\n`, stderr: "" });

  await writeFile(join(checkout, "src/broken.ts"), "export const port: number = 'many';\n");
  expect(runIn(checkout)).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("the build failed") });
  // A gateway that runs from the build before can be started again.
  await access(join(checkout, "dist/server.js"));
});

function runIn(checkout: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(checkout, "bin/wxdesk.mjs"), "--version"], { encoding: "utf8" });
  return { code: status, stdout, stderr };
}

test("without a gateway a command works on the data folder itself, and the audit log says that it was the command line", async () => {
  const folder = await copyDataFolder();
  const environment = { WXDESK_DATA_DIR: folder };
  const added = await wxdesk(["account", "add", "--file", "-", "--json"], { cwd: folder, environment, input: JSON.stringify(SHOP) });
  expect(added.code).toBe(0);
  // The first to open the database makes the keys; this one is shown nowhere else.
  expect(added.stderr).toMatch(/admin key, shown this once: wxk_[\w-]{32}\nback up .*master\.key/);
  expect(JSON.parse(added.stdout)).toMatchObject({
    id: "shop",
    callbackUrl: "http://127.0.0.1:8787/wechat/shop",
    generated: { token: expect.any(String), encodingAesKey: expect.any(String) },
  });
  expect(added.stdout + added.stderr).not.toMatch(/app-secret-0|desk-key-0/);

  const listed = await wxdesk(["account", "list"], { cwd: folder, environment });
  expect(listed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^shop .*Shop service account.*official_account/m), stderr: "" });
  expect(await readActors(folder)).toEqual([expect.stringMatching(/^cli command line \(.+\)$/)]);
});

async function readActors(folder: string): Promise<string[]> {
  const { database, unlock } = await openLocked(readConfig({ WXDESK_DATA_DIR: folder }));
  const rows = await database.prisma.auditEntry.findMany({ where: { action: "account.created" } });
  await database.close();
  await unlock();
  return rows.map(({ actor, actorName }) => `${actor} ${actorName}`);
}

test("while a gateway runs on the data folder, a command without any settings of its own speaks to that gateway", async () => {
  const folder = await copyDataFolder();
  const environment = { WXDESK_PORT: "0", WXDESK_DATA_DIR: folder };
  const gateway = spawnGateway({ ...environment, WXDESK_ADMIN_KEY: ADMIN_KEY }, folder);
  const address = await gateway.listening();
  const file = join(folder, "local-api.json");
  expect((await stat(file)).mode & 0o777).toBe(0o600);

  const added = await wxdesk(["account", "add", "--file", "-"], { cwd: folder, environment, input: JSON.stringify(SHOP) });
  expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining(`${address}/wechat/shop`) });
  expect(await callApi(address, "GET", "/accounts/shop", undefined, ADMIN_KEY)).toMatchObject({ status: 200 });

  const { key } = JSON.parse(await readFile(file, "utf8"));
  expect(await gateway.stop()).toBe(0);
  expect(gateway.output).not.toContain(key);
  await expect(access(file)).rejects.toThrow("ENOENT");
});

test("what a killed gateway left behind misleads nobody: the next command works on the folder itself", async () => {
  const folder = await copyDataFolder();
  const environment = { WXDESK_PORT: "0", WXDESK_DATA_DIR: folder, WXDESK_ADMIN_KEY: ADMIN_KEY };
  const gateway = spawnGateway(environment, folder);
  await gateway.listening();
  await gateway.kill();
  await access(join(folder, "local-api.json"));
  expect(await wxdesk(["account", "list"], { cwd: folder, environment })).toMatchObject({ code: 0, stderr: "" });
});

test("two commands at the same time both get their turn", async () => {
  const folder = await copyDataFolder();
  const environment = { WXDESK_DATA_DIR: folder, WXDESK_ADMIN_KEY: ADMIN_KEY };
  const list = () => wxdesk(["account", "list", "--json"], { cwd: folder, environment });
  for (const ended of await Promise.all([list(), list()])) expect(ended).toMatchObject({ code: 0, stdout: '{\n  "items": []\n}\n' });
});

test.skipIf(!process.env.TEST_DATABASE_URL)("on a database server a command works beside the gateways that run on it", async () => {
  const database = await createTestDatabase();
  onTestFinished(database.drop);
  if (database.address.kind !== "server") throw new Error("TEST_DATABASE_URL names a server");
  const folder = await copyDataFolder();
  const environment = {
    WXDESK_PORT: "0",
    WXDESK_DATA_DIR: join(folder, "unused"),
    WXDESK_ADMIN_KEY: ADMIN_KEY,
    WXDESK_MASTER_KEY: randomBytes(32).toString("base64"),
    DATABASE_URL: database.address.url,
  };
  const gateway = spawnGateway(environment, folder);
  const address = await gateway.listening();
  expect(await wxdesk(["account", "add", "--file", "-"], { cwd: folder, environment, input: JSON.stringify(SHOP) })).toMatchObject({
    code: 0,
  });
  expect(await callApi(address, "GET", "/accounts/shop", undefined, ADMIN_KEY)).toMatchObject({ status: 200 });
  // Known on the server: nothing tells a process on this machine how to reach a gateway that may be on another.
  await expect(access(join(folder, "unused"))).rejects.toThrow("ENOENT");
  expect(await gateway.stop()).toBe(0);
});

test("migrations are applied to an empty folder once, and named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-data-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const environment = { WXDESK_DATA_DIR: folder };
  const first = await wxdesk(["migrate", "--json"], { cwd: folder, environment });
  expect(JSON.parse(first.stdout).applied[0]).toMatch(/^\d{14}_\w+$/);
  const second = await wxdesk(["migrate"], { cwd: folder, environment });
  expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining("Nothing to apply") });
});

test("start is the gateway: it serves until it is told to stop, and then ends with 0", async () => {
  const folder = await copyDataFolder();
  const gateway = spawnGateway({ WXDESK_PORT: "0", WXDESK_DATA_DIR: folder }, folder, [BIN, "start"]);
  expect((await fetch(`${await gateway.listening()}/readyz`)).status).toBe(200);
  expect(await gateway.stop()).toBe(0);
});

test("settings that are wrong end a command with 2 and the list of what is wrong, without a stack", async () => {
  const folder = await copyDataFolder();
  await writeFile(join(folder, ".env"), "WXDESK_PROT=1\n");
  const ended = await wxdesk(["account", "list"], { cwd: folder, environment: { WXDESK_DATA_DIR: folder } });
  expect(ended).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/^SETTINGS_INVALID[\s\S]*did you mean WXDESK_PORT\?/) });
  expect(ended.stderr).not.toMatch(/^\s+at /m);
});

test("standard input gives one secret, not two", async () => {
  const folder = await copyDataFolder();
  const both = ["--app-secret-file", "-", "--desk-key-file", "-"];
  const ended = await wxdesk(["account", "set", "shop", ...both], { cwd: folder, input: "app-secret-0123456789" });
  expect(ended).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("read once only") });
});

test("whoever reads only the beginning of a long answer disturbs nobody", async () => {
  const { stdout, stderr } = spawnSync("sh", ["-c", `"${process.execPath}" "${BIN}" openapi | head -n 1`], { encoding: "utf8" });
  expect({ stdout, stderr }).toEqual({ stdout: "{\n", stderr: "" });
});
