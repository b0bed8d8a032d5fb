import { join } from "node:path";
import { startChild } from "./lib/child.ts";
import { cpuMs } from "./lib/cpu.ts";
import { expectEqual } from "./lib/expect.ts";
import { createAccount, startGateway } from "./lib/gateway.ts";
import { measureAccept } from "./lib/measured.ts";
import { query, resetStatements, STATEMENT_COLUMNS } from "./lib/postgres.ts";
import { atLeast, type Findings, format, formatSpread, type Table } from "./lib/report.ts";
import { alternate } from "./lib/rounds.ts";
import { type SceneOptions, startScene, UNCOUNTED, type Used } from "./lib/scene.ts";
import { CONNECTIONS, type Loader, type Stage, startLoader } from "./lib/stage.ts";
import { toRatio, toSpread } from "./lib/statistics.ts";
import { COUNT_QUEUED } from "./lib/tables.ts";
import type { RowsLoad } from "./processes/rows.ts";

/** `warmUp` before the clock runs: connections are opened, functions compiled, conversations there. */
const SIZES = {
  quick: { rounds: 1, seconds: 1, warmUp: 1_000, messages: 4_000 },
  normal: { rounds: 5, seconds: 4, warmUp: 10_000, messages: 40_000 },
  full: { rounds: 9, seconds: 8, warmUp: 20_000, messages: 80_000 },
};
const CONTACTS = 1_000;
/** The routes without a database are warmed up by these, again and again, for two seconds. */
const ROUTE_CALLBACKS = 4_000;

interface Run extends Used {
  perSecond: number;
  p99: number;
}

const TARGETS = {
  gateway: "wxdesk, server, stored before the 200",
  relaying: "wxdesk, server, also forwarding what it takes",
  waiting: "wxdesk, server, default settings (waits for the desk's answer)",
  embedded: "wxdesk, embedded, stored before the 200",
  bare: "(a) bare Fastify route",
  codecs: "(b) verify, decrypt, parse, store nothing",
  wechat: "(c) npm `wechat` 2.1, stores nothing",
  rows: "(d) bare `pg`, the same rows in batches of 50",
  batched: "(e) as (b), the answers of one turn of the event loop together",
} as const;
type Target = keyof typeof TARGETS;

/** Safe-mode callbacks per second, stored before the 200, beside its limits and its peer. */
export async function accept(stage: Stage): Promise<Findings> {
  const rounds = stage.rounds ?? SIZES[stage.mode].rounds;
  const needsServer: Target[] = ["gateway", "relaying", "waiting", "rows"];
  const targets = (Object.keys(TARGETS) as Target[]).filter((target) => stage.server !== null || !needsServer.includes(target));
  const loader = await startLoader();
  const results = await alternate(targets, rounds, async (target, round) => {
    stage.say(`  round ${round + 1} of ${rounds}: ${target}`);
    const profileFolder = stage.profileFolder && join(stage.profileFolder, target);
    return RUNS[target]({ ...stage, profileFolder }, loader);
  });
  await loader.end();
  return toFindings(targets, results);
}

type RunTarget = (stage: Stage, loader: Loader) => Promise<Run>;

const RUNS: Record<Target, RunTarget> = {
  gateway: (stage, loader) => runGateway(stage, loader, { role: "http", isEmbedded: false }),
  relaying: (stage, loader) => runGateway(stage, loader, { role: "all", isEmbedded: false }),
  waiting: (stage, loader) => runGateway(stage, loader, { role: "all", isEmbedded: false, passiveWaitMs: 4_500 }),
  embedded: (stage, loader) => runGateway(stage, loader, { role: "http", isEmbedded: true }),
  bare: (stage, loader) => runRoute("bare.ts", stage, loader),
  codecs: (stage, loader) => runRoute("codecs.ts", stage, loader),
  wechat: (stage, loader) => runRoute("wechat-npm.ts", stage, loader),
  rows: runRows,
  batched: (stage, loader) => runRoute("codecs-batched.ts", stage, loader),
};

async function runGateway(stage: Stage, loader: Loader, options: SceneOptions): Promise<Run> {
  const { seconds, warmUp, messages } = SIZES[stage.mode];
  const scene = await startScene(stage, options);
  const load = { addresses: scene.addresses, connections: CONNECTIONS, repeats: false };
  await loader.makeCallbacks({ first: 0, count: warmUp, contacts: CONTACTS });
  await loader.closed({ ...load, secondsMax: 60, insists: true });
  await loader.makeCallbacks({ first: warmUp, count: messages, contacts: CONTACTS });
  await scene.begin();
  const { taken, sent, seconds: took, latencyMs } = await loader.closed({ ...load, secondsMax: seconds });
  const used = await scene.used(taken);
  expectEqual("callbacks taken", taken, sent);
  expectEqual("messages stored", (await scene.end()).stored, warmUp + taken);
  return { perSecond: taken / took, ...used, p99: latencyMs.p99 };
}

async function runRoute(file: string, { mode }: Stage, loader: Loader): Promise<Run> {
  const { seconds } = SIZES[mode];
  const target = await startChild(file);
  const address = await target.call<string>("address");
  const load = { addresses: [address], connections: CONNECTIONS, repeats: true };
  await loader.makeCallbacks({ first: 0, count: ROUTE_CALLBACKS, contacts: CONTACTS });
  const warmedUp = await loader.closed({ ...load, secondsMax: 2 });
  const before = cpuMs(target.pid);
  const { taken, sent, seconds: took, latencyMs } = await loader.closed({ ...load, secondsMax: Math.max(seconds, 2) });
  const used = cpuMs(target.pid) - before;
  expectEqual("callbacks taken", taken, sent);
  expectEqual("callbacks read", await target.call("count"), warmedUp.taken + taken);
  await target.end();
  return { perSecond: taken / took, cpuUs: (used / taken) * 1_000, postgresUs: 0, ...UNCOUNTED, statements: 0, p99: latencyMs.p99 };
}

async function runRows({ server, mode }: Stage): Promise<Run> {
  if (server === null) throw new Error("bare rows need a server");
  const { seconds, warmUp, messages } = SIZES[mode];
  const databaseUrl = await server.createDatabase();
  // The gateway makes the tables and the account.
  const gateway = await startGateway({ databaseUrl, role: "http" });
  await createAccount(gateway);
  await gateway.stop();
  const rows = await startChild("rows.ts");
  const load: RowsLoad = { url: databaseUrl, first: 0, count: warmUp, contacts: CONTACTS, batch: 50, connections: 4, secondsMax: 60 };
  await rows.call("insert", load);
  await resetStatements(databaseUrl);
  const before = { rows: cpuMs(rows.pid), postgres: server.cpuMs() };
  const result = await rows.call<{ rows: number; seconds: number }>("insert", {
    ...load,
    first: warmUp,
    count: messages * 5,
    secondsMax: seconds,
  });
  const used = { rows: cpuMs(rows.pid) - before.rows, postgres: server.cpuMs() - before.postgres };
  const [stored] = await query<{ count: string }>(databaseUrl, COUNT_QUEUED);
  expectEqual("rows stored", Number(stored?.count), warmUp + result.rows);
  await rows.end();
  await server.dropDatabase(databaseUrl);
  return {
    perSecond: result.rows / result.seconds,
    cpuUs: (used.rows / result.rows) * 1_000,
    postgresUs: (used.postgres / result.rows) * 1_000,
    ...UNCOUNTED,
    statements: 1 / 50,
    p99: Number.NaN,
  };
}

function toFindings(targets: Target[], results: Record<Target, Run[]>): Findings {
  const rates = (target: Target) => results[target].map(({ perSecond }) => perSecond);
  const median = (target: Target, of: (run: Run) => number) => format(toSpread(results[target].map(of)).median);
  const ratio = (target: Target, to: Target) => formatSpread(toRatio(rates(target), rates(to)));
  const table: Table = {
    title: "Accept: safe-mode callbacks",
    columns: ["", "per second", "of (a)", "of (b)", "of (c)", "µs CPU", "µs CPU Postgres", "statements", "p99 ms"],
    rows: targets.map((target) => [
      TARGETS[target],
      formatSpread(toSpread(rates(target))),
      ratio(target, "bare"),
      ratio(target, "codecs"),
      ratio(target, "wechat"),
      median(target, ({ cpuUs }) => cpuUs),
      median(target, ({ postgresUs }) => postgresUs),
      median(target, ({ statements }) => statements),
      median(target, ({ p99 }) => p99),
    ]),
    notes: [`${CONNECTIONS} connections, ${CONTACTS} contacts; CPU, statements per message; median (min–max) of the rounds`],
  };
  const statements: Table = {
    title: "Accept: statements, also forwarding",
    columns: STATEMENT_COLUMNS,
    rows: results.relaying?.at(-1)?.costliest ?? [],
  };
  const of = (target: Target, to: Target) => toRatio(rates(target), rates(to)).median;
  const goalOf = (target: Target, where: string) => atLeast(`accept: ahead of (c), ${where}`, of(target, "wechat"), 1);
  return {
    measures: measureAccept(results),
    tables: [table, ...(statements.rows.length > 0 ? [statements] : [])],
    goals: [...(targets.includes("gateway") ? [goalOf("gateway", "on a server")] : []), goalOf("embedded", "embedded")],
  };
}
