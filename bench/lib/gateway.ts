import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findFreePort } from "../../test/support/free-port.ts";
import { ACCOUNT, ADMIN_KEY } from "./account.ts";
import { cpuMs, residentMib } from "./cpu.ts";

/** The built gateway as `npm start` runs it, with its default settings, in a process of its own. */
export interface Gateway {
  address: string;
  pid: number;
  /** From the start of the process until it was ready. */
  startMs: number;
  cpuMs(): number;
  residentMib(): number;
  api<Result>(method: string, path: string, body?: unknown): Promise<Result>;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  /** Without one, embedded. */
  databaseUrl?: string;
  /** A folder of one's own is kept; otherwise one is made and removed. */
  folder?: string;
  role?: "all" | "http" | "worker";
  /** A folder for the processor profile that the process writes when it ends. */
  profileFolder?: string | undefined;
}

const BUILT = fileURLToPath(new URL("../../dist/server.js", import.meta.url));
const MASTER_KEY = Buffer.alloc(32, 7).toString("base64");
const READY_MS_MAX = 60_000;

export async function startGateway({ databaseUrl, folder, role = "all", profileFolder }: GatewayOptions): Promise<Gateway> {
  const workFolder = folder ?? (await mkdtemp(join(tmpdir(), "wxdesk-bench-")));
  const port = await findFreePort();
  const address = `http://127.0.0.1:${port}`;
  const logFile = join(workFolder, "gateway.log");
  const log = openSync(logFile, "a");
  const startedAt = performance.now();
  const profiling = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  const child = spawn(process.execPath, [...profiling, BUILT], {
    cwd: workFolder,
    env: {
      PATH: process.env.PATH ?? "",
      WXDESK_PORT: String(port),
      WXDESK_DATA_DIR: workFolder,
      WXDESK_ADMIN_KEY: ADMIN_KEY,
      WXDESK_MASTER_KEY: MASTER_KEY,
      WXDESK_ROLE: role,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    },
    stdio: ["ignore", log, log],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  await waitUntilReady(address, child, logFile);
  const startMs = performance.now() - startedAt;
  const pid = child.pid ?? 0;
  return {
    address,
    pid,
    startMs,
    cpuMs: () => cpuMs(pid),
    residentMib: () => residentMib(pid),
    api: (method, path, body) => callApi(address, method, path, body),
    stop: async () => {
      process.off("exit", kill);
      if (child.exitCode === null) {
        const exited = once(child, "exit");
        child.kill("SIGTERM");
        await exited;
      }
      if (folder === undefined) await rm(workFolder, { recursive: true, force: true });
    },
  };
}

export interface AccountOptions {
  id?: string;
  /** Where desk and WeChat's interface are; nobody listens on the default. */
  outside?: string;
  /** 0: callbacks are acknowledged as soon as they are stored. */
  passiveWaitMs?: number;
}

const NOBODY = "http://127.0.0.1:9";

/** @returns the path that the desk pushes to */
export async function createAccount(gateway: Gateway, options: AccountOptions = {}): Promise<string> {
  const { id = ACCOUNT.id, outside = NOBODY, passiveWaitMs = 0 } = options;
  const { appSecret, token, encodingAesKey, deskKey } = ACCOUNT;
  // An app has one account.
  const appId = id === ACCOUNT.id ? ACCOUNT.appId : `wx${Buffer.from(id).toString("hex").padEnd(16, "0").slice(0, 16)}`;
  const { pushUrl } = await gateway.api<{ pushUrl: string }>("POST", "/accounts", {
    id,
    name: "Benchmark",
    kind: "official_account",
    wechat: { appId, appSecret, token, encodingAesKey, encryption: "safe", apiBaseUrl: outside },
    desk: { protocol: "udesk-message-interface", url: toDeskUrl(outside), key: deskKey, timeoutMs: 4_000 },
    replies: { passiveWaitMs, notices: "never" },
  });
  return new URL(pushUrl).pathname;
}

/** An account that an earlier gateway on this database has created now talks to this desk. */
export async function moveAccount(gateway: Gateway, outside: string): Promise<void> {
  await gateway.api("PATCH", `/accounts/${ACCOUNT.id}`, { desk: { url: toDeskUrl(outside) } });
}

function toDeskUrl(outside: string): string {
  return `${outside}/spa1/im_callback`;
}

async function waitUntilReady(address: string, child: ChildProcess, logFile: string): Promise<void> {
  for (const until = Date.now() + READY_MS_MAX; Date.now() < until; await sleep(20)) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with code ${child.exitCode}, see ${logFile}`);
    const response = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(3_000) }).catch(() => null);
    await response?.body?.cancel();
    if (response?.ok) return;
  }
  throw new Error(`the gateway is not ready after ${READY_MS_MAX} ms, see ${logFile}`);
}

async function callApi<Result>(address: string, method: string, path: string, body: unknown): Promise<Result> {
  const response = await fetch(`${address}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text) as Result;
}
