import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { until } from "./lib/expect.ts";
import { createAccount, type Gateway, startGateway } from "./lib/gateway.ts";
import { atMost, type Findings, format, type Table } from "./lib/report.ts";
import { CONNECTIONS, type Stage, startLoader, startOutside } from "./lib/stage.ts";

const SIZES = {
  quick: { seconds: 10, early: 500, messages: 2_000 },
  normal: { seconds: 30, early: 20_000, messages: 100_000 },
  full: { seconds: 60, early: 20_000, messages: 100_000 },
};
const SECONDS_MAX = 1_800;
const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Run {
  firstStartMs: number;
  startMs: number;
  cpuPercent: number;
  postgresPercent: number;
  startedMib: number;
  /** After the first few messages, by which the heap has its usual size, and after all. */
  earlyMib: number;
  lateMib: number;
}

/** What it costs to have the gateway and not to use it, and what is left of much use. */
export async function idle(stage: Stage): Promise<Findings> {
  const { messages, early } = SIZES[stage.mode];
  const kinds = stage.server === null ? (["embedded"] as const) : (["server", "embedded"] as const);
  const runs = new Map<string, Run>();
  for (const kind of kinds) {
    stage.say(`  ${kind}`);
    runs.set(kind, await run(kind === "embedded", stage));
  }
  stage.say("  install size");
  const megabytes = await measureInstall();
  const row = (title: string, of: (run: Run) => number) => [title, ...kinds.map((kind) => format(of(runs.get(kind) as Run)))];
  const table: Table = {
    title: "Idle and size",
    columns: ["", ...kinds.map((kind) => (kind === "server" ? "on a server" : "embedded"))],
    rows: [
      row("first start, empty database, ms until ready", ({ firstStartMs }) => firstStartMs),
      row("later start, ms until ready", ({ startMs }) => startMs),
      row("CPU while idle, % of one core", ({ cpuPercent }) => cpuPercent),
      row("CPU of Postgres meanwhile, % of one core", ({ postgresPercent }) => postgresPercent),
      row("resident after start, MiB", ({ startedMib }) => startedMib),
      row(`resident after ${format(early)} messages, MiB`, ({ earlyMib }) => earlyMib),
      row(`resident after ${format(messages)} messages, MiB`, ({ lateMib }) => lateMib),
      ["production dependencies, MB on disk", ...kinds.map(() => format(megabytes))],
    ],
  };
  const goals = kinds.map((kind) => {
    const { earlyMib, lateMib } = runs.get(kind) as Run;
    return atMost(
      `idle: no growth from ${format(early)} to ${format(messages)} messages (at most 1.1 times the memory), ${kind}`,
      lateMib / earlyMib,
      1.1,
    );
  });
  // After so few messages as in a quick run, the heap has not come to its usual size.
  return { tables: [table], goals: stage.mode === "quick" ? [] : goals };
}

async function run(isEmbedded: boolean, { server, mode }: Stage): Promise<Run> {
  const { seconds, early, messages } = SIZES[mode];
  const databaseUrl = isEmbedded ? undefined : await server?.createDatabase();
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-bench-idle-"));
  const start = () => startGateway({ folder, ...(databaseUrl && { databaseUrl }) });
  const outside = await startOutside();
  const first = await start();
  await createAccount(first, { outside: outside.address });
  await first.stop();

  const gateway = await start();
  const startedMib = gateway.residentMib();
  await sleep(2_000);
  const before = { gateway: gateway.cpuMs(), postgres: server?.cpuMs() ?? 0 };
  await sleep(seconds * 1_000);
  const used = { gateway: gateway.cpuMs() - before.gateway, postgres: (server?.cpuMs() ?? 0) - before.postgres };

  const earlyMib = await work(gateway, outside, { first: 0, count: early });
  const lateMib = await work(gateway, outside, { first: early, count: messages - early });
  await gateway.stop();
  await outside.end();
  await rm(folder, { recursive: true, force: true });
  if (databaseUrl) await server?.dropDatabase(databaseUrl);
  return {
    firstStartMs: first.startMs,
    startMs: gateway.startMs,
    cpuPercent: used.gateway / (seconds * 10),
    postgresPercent: databaseUrl ? used.postgres / (seconds * 10) : Number.NaN,
    startedMib,
    earlyMib,
    lateMib,
  };
}

/** @returns the memory when all of them are at the desk */
async function work(
  gateway: Gateway,
  outside: Awaited<ReturnType<typeof startOutside>>,
  part: { first: number; count: number },
): Promise<number> {
  const loader = await startLoader();
  await outside.begin();
  await loader.makeCallbacks({ ...part, contacts: 1_000 });
  await loader.closed({ addresses: [gateway.address], connections: CONNECTIONS, repeats: false, secondsMax: SECONDS_MAX });
  await loader.end();
  await until("all at the desk", async () => (await outside.counts()).submissions >= part.count, SECONDS_MAX);
  return gateway.residentMib();
}

/** What `npm ci --omit=dev` puts on the disk. */
async function measureInstall(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-bench-install-"));
  for (const file of ["package.json", "package-lock.json", ".npmrc"]) cpSync(join(ROOT, file), join(folder, file));
  const { status } = spawnSync("npm", ["ci", "--omit=dev", "--prefer-offline", "--loglevel", "error"], { cwd: folder, stdio: "ignore" });
  const { stdout } = spawnSync("du", ["-sk", join(folder, "node_modules")], { encoding: "utf8" });
  await rm(folder, { recursive: true, force: true });
  return status === 0 ? Number.parseInt(stdout, 10) / 1_000 : Number.NaN;
}
