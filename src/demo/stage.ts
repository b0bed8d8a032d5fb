import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, createApp } from "../app/app.ts";
import { readConfig } from "../config.ts";
import { startDesk } from "../emulators/desk.ts";
import { startWechat, type WechatEmulator } from "../emulators/wechat.ts";
import { createOperator, type Operator } from "./operator.ts";
import { type KeyedDesk, openPractice, type Practice } from "./practice.ts";

/** The gateway between its two outsides, all on loopback, with nothing that outlives it. */
export interface Stage {
  address: string;
  adminKey: string;
  operator: Operator;
  wechat: WechatEmulator;
  /** One desk per account, as each has a KEY and a push server address of its own. */
  desks: { shop: KeyedDesk; staff: KeyedDesk };
  /** Where the gateway keeps its data, and tells the command line how to reach it. */
  dataDir: string;
  practice: Practice;
  /** Stops everything and removes the data folder. */
  close(): Promise<void>;
}

const PREFERRED_PORT = 8787;

export async function setStage(): Promise<Stage> {
  const cleanups: (() => Promise<void>)[] = [];
  // In reverse: the gateway finishes its work before the outsides go, and the folder goes last.
  const close = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    const dataDir = await mkdtemp(join(tmpdir(), "wxdesk-demo-"));
    cleanups.push(() => rm(dataDir, { recursive: true, force: true }));
    const wechat = await startWechat();
    cleanups.push(wechat.close);
    const shop = await openDesk();
    cleanups.push(shop.close);
    const staff = await openDesk();
    cleanups.push(staff.close);

    const practiceDesk = await openDesk();
    cleanups.push(practiceDesk.close);
    const documentFile = join(dataDir, "practice.json");
    const practice = await openPractice({ wechat, desk: practiceDesk }, [
      `export WXDESK_DATA_DIR=${dataDir}`,
      `npx wxdesk account add --file ${documentFile}`,
    ]);
    cleanups.push(practice.close);
    await writeFile(documentFile, `${JSON.stringify(practice.document, null, 2)}\n`, { mode: 0o600 });

    const adminKey = randomBytes(24).toString("base64url");
    const app = await startGateway({ dataDir, adminKey });
    cleanups.push(() => app.close());
    const operator = createOperator(app.address, adminKey);
    return { address: app.address, adminKey, operator, wechat, desks: { shop, staff }, dataDir, practice, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openDesk(): Promise<KeyedDesk> {
  const key = randomBytes(16).toString("hex");
  return { ...(await startDesk({ key })), key };
}

/** The settings are written here, so that what happens to stand in the environment or in `.env` cannot change the demo. */
async function startGateway({ dataDir, adminKey }: { dataDir: string; adminKey: string }): Promise<App> {
  const config = readConfig({
    WXDESK_PORT: (await isFree(PREFERRED_PORT)) ? String(PREFERRED_PORT) : "0",
    WXDESK_DATA_DIR: dataDir,
    WXDESK_MASTER_KEY: randomBytes(32).toString("base64"),
    WXDESK_ADMIN_KEY: adminKey,
    WXDESK_LOG_LEVEL: "warn",
  });
  const app = await createApp(config);
  await app.listen();
  return app;
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch {
    return false;
  }
  await new Promise((resolve) => probe.close(resolve));
  return true;
}
