import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, inject, onTestFinished } from "vitest";
import { type DeskEmulator, startDesk } from "../../src/emulators/desk.ts";
import { startWechat, type WechatEmulator, type WechatOptions } from "../../src/emulators/wechat.ts";
import { closeToOthers } from "../../src/keys/private-files.ts";
import { findFreePort } from "../support/free-port.ts";
import {
  type AccountChange,
  ADMIN_KEY,
  type ConnectedAccount,
  callApi,
  connect,
  DESK_KEY,
  type Gateway,
  look,
} from "../support/gateway.ts";
import { type GatewayProcess, spawnGateway } from "../support/process.ts";

/** A gateway process on a data folder of its own, and the two outsides in the test, which its end does not touch. */
export interface Stage {
  folder: string;
  wechat: WechatEmulator;
  desk: DeskEmulator;
  account: ConnectedAccount;
  gateway: GatewayProcess;
  api: Gateway["api"];
  look(openId: string): ReturnType<typeof look>;
  /** Starts it again on the same folder, at the same address. */
  restart(): Promise<void>;
}

let template = "";

/** Call it once in a file: prepares the embedded database of which every test gets a copy, since making one takes seconds. */
export function prepareDataFolder(): void {
  beforeAll(async () => {
    template = await mkdtemp(join(tmpdir(), "wxdesk-crash-"));
    // A run against a server has prepared no image; then the gateway applies the migrations itself.
    const image = process.env.TEST_DATABASE_URL ? undefined : new Blob([await readFile(inject("databaseImage"))]);
    const pglite = new PGlite(join(template, "postgres"), image && { loadDataDir: image });
    await pglite.waitReady;
    await pglite.close();
    await closeToOthers(template);
  });
  afterAll(() => rm(template, { recursive: true, force: true }));
}

/** A copy of the prepared folder, removed with the test. */
export async function copyDataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-data-"));
  await cp(template, folder, { recursive: true });
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function startStage(
  options: { wechat?: WechatOptions; account?: AccountChange; environment?: Record<string, string> } = {},
): Promise<Stage> {
  const folder = await copyDataFolder();
  const [wechat, desk, port] = [await startWechat(options.wechat), await startDesk({ key: DESK_KEY }), await findFreePort()];
  onTestFinished(async () => {
    await Promise.all([wechat.close(), desk.close()]);
  });
  const environment = { WXDESK_PORT: String(port), WXDESK_DATA_DIR: folder, WXDESK_ADMIN_KEY: ADMIN_KEY, ...options.environment };
  const gateway = spawnGateway(environment, folder);
  const address = await gateway.listening();
  const api: Gateway["api"] = (method, path, body, key = ADMIN_KEY) => callApi(address, method, path, body, key);
  const account = await connect({ api, wechat, desk }, "official_account", options.account);
  account.wechat.limitsSends = false;
  const stage: Stage = {
    folder,
    wechat,
    desk,
    account,
    gateway,
    api,
    look: (openId) => look({ api }, account, openId),
    restart: async () => {
      stage.gateway = spawnGateway(environment, folder);
      await stage.gateway.listening();
    },
  };
  return stage;
}
