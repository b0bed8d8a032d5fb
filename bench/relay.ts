import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "./lib/child.ts";
import { cpuMs } from "./lib/cpu.ts";
import { expectEqual, until } from "./lib/expect.ts";
import { measureRelay } from "./lib/measured.ts";
import { query, STATEMENT_COLUMNS, type Updates } from "./lib/postgres.ts";
import { type Share, summarizeProfile } from "./lib/profile.ts";
import { type Findings, format, formatSpread, type Table } from "./lib/report.ts";
import { alternate } from "./lib/rounds.ts";
import { type Scene, startScene, UNCOUNTED, type Used } from "./lib/scene.ts";
import { CONNECTIONS, type Loader, type Stage, startLoader, startOutside } from "./lib/stage.ts";
import { toRatio, toSpread } from "./lib/statistics.ts";
import { COUNT_IN_STATE, FIND_QUEUED, HOT_TABLES } from "./lib/tables.ts";
import type { LoopLoad } from "./processes/bare-loop.ts";

const SIZES = {
  quick: { rounds: 1, warmUp: 500, messages: 500 },
  normal: { rounds: 3, warmUp: 5_000, messages: 20_000 },
  full: { rounds: 5, warmUp: 10_000, messages: 50_000 },
};
const CONTACTS = 500;
const SECONDS_MAX = 300;
/** As many as the gateway's worker has slots. */
const CONCURRENCY = 64;

interface Run extends Used {
  perSecond: number;
  /** Of all messages of the run, those before the clock ran included; empty when not counted. */
  updates: { table: string; perMessage: number; hotShare: number }[];
}

const TARGETS = {
  forward: "callback → accepted by the desk and recorded",
  forwardLoop: "  bare loop: one signed request each, batched writes",
  push: "agent's push → sent and recorded",
  pushLoop: "  bare loop: one request each, batched writes",
} as const;
type Target = keyof typeof TARGETS;
type Kind = "forward" | "push";

/** Messages per second all the way, in both directions, beside a loop that does nothing but the request and the writing. */
export async function relay(stage: Stage): Promise<Findings> {
  const rounds = stage.rounds ?? SIZES[stage.mode].rounds;
  const targets: Target[] = stage.server === null ? ["forward", "push"] : ["forward", "forwardLoop", "push", "pushLoop"];
  const loader = await startLoader();
  const results = await alternate(targets, rounds, async (target, round) => {
    stage.say(`  round ${round + 1} of ${rounds}: ${target}`);
    if (target === "forward" || target === "push") return runGateway({ ...stage, profileFolder: undefined }, loader, target);
    return runLoop(stage, target === "forwardLoop" ? "forward" : "push");
  });
  const shares = { forward: await profile(stage, loader, "forward"), push: await profile(stage, loader, "push") };
  await loader.end();
  return toFindings(targets, results, shares);
}

/** So many that the start of the process, which is in the profile too, does not count for much. */
const PROFILED = 4_000;

/** One more run, unclocked, with the profiler in the gateway. */
async function profile(stage: Stage, loader: Loader, kind: Kind): Promise<Share[]> {
  stage.say(`  profile: ${kind}`);
  const folder = stage.profileFolder ? join(stage.profileFolder, kind) : await mkdtemp(join(tmpdir(), "wxdesk-bench-profile-"));
  await runGateway({ ...stage, profileFolder: folder }, loader, kind, stage.mode === "quick" ? SIZES.quick.messages * 3 : PROFILED);
  const { owners } = summarizeProfile(folder);
  if (stage.profileFolder === undefined) await rm(folder, { recursive: true, force: true });
  return owners;
}

async function runGateway(stage: Stage, loader: Loader, kind: Kind, messages = SIZES[stage.mode].messages): Promise<Run> {
  const { warmUp } = SIZES[stage.mode];
  const scene = await startScene(stage);
  const load = { addresses: scene.addresses, connections: CONNECTIONS, repeats: false, secondsMax: SECONDS_MAX };
  const make = (first: number, count: number) =>
    kind === "forward"
      ? loader.makeCallbacks({ first, count, contacts: CONTACTS })
      : loader.makePushes({ first, count, contacts: CONTACTS, path: scene.pushPath });
  await scene.outside.begin();
  await make(0, warmUp);
  await loader.closed({ ...load, insists: true });
  await allRelayed(scene, kind, warmUp);

  await make(warmUp, messages);
  await scene.begin();
  const startedAt = performance.now();
  const { taken } = await loader.closed(load);
  expectEqual("requests taken", taken, messages);
  await allRelayed(scene, kind, messages);
  const seconds = (performance.now() - startedAt) / 1_000;
  const used = await scene.used(messages);
  await checkBooks(scene, kind, messages, warmUp + messages);
  const { updates } = await scene.end();
  return { perSecond: messages / seconds, ...used, updates: updates.map((each) => toUpdatesPerMessage(each, warmUp + messages)) };
}

function toUpdatesPerMessage({ table, all, hot }: Updates, messages: number): Run["updates"][number] {
  return { table, perMessage: all / messages, hotShare: hot / all };
}

/** First the desk, or WeChat, has all of them: asking there costs the gateway nothing. Then no queue has a message left. */
async function allRelayed(scene: Scene, kind: Kind, wanted: number): Promise<void> {
  const of = kind === "forward" ? "submissions" : "sends";
  await until(`${wanted} ${of}`, async () => (await scene.outside.counts())[of] >= wanted, SECONDS_MAX);
  const { databaseUrl } = scene;
  if (databaseUrl === undefined) return;
  const isEmpty = async () => (await query(databaseUrl, FIND_QUEUED)).length === 0;
  await until("empty queues", isEmpty, SECONDS_MAX);
}

/** By the outside's own books: all of them, signed, once, in order; by the gateway's: all of them in their last state. */
async function checkBooks({ outside, databaseUrl }: Scene, kind: Kind, messages: number, storedInAll: number): Promise<void> {
  const counts = await outside.counts();
  expectEqual("arrived outside", kind === "forward" ? counts.submissions : counts.sends, messages);
  expectEqual("unsigned, repeated, out of order", counts.unsigned + counts.repeated + counts.disordered, 0);
  if (databaseUrl === undefined) return;
  const state = kind === "forward" ? "forwarded" : "sent";
  const [stored] = await query<{ count: string }>(databaseUrl, COUNT_IN_STATE, [state]);
  expectEqual(`messages ${state}`, Number(stored?.count), storedInAll);
}

async function runLoop({ server, mode }: Stage, kind: Kind): Promise<Run> {
  if (server === null) throw new Error("the bare loop needs a server");
  // Quick as it is, it is given more to do, so that the clock has something to measure.
  const count = SIZES[mode].messages * 5;
  const url = await server.createDatabase();
  const outside = await startOutside();
  const loop = await startChild("bare-loop.ts");
  const load: LoopLoad = { url, outside: outside.address, kind, count, contacts: CONTACTS, concurrency: CONCURRENCY };
  await loop.call("run", { ...load, count: SIZES[mode].warmUp });
  await outside.begin();
  const before = { loop: cpuMs(loop.pid), postgres: server.cpuMs() };
  const { seconds } = await loop.call<{ seconds: number }>("run", load);
  const used = { loop: cpuMs(loop.pid) - before.loop, postgres: server.cpuMs() - before.postgres };
  const counts = await outside.counts();
  expectEqual("arrived outside", counts.submissions + counts.sends, count);
  await loop.end();
  await outside.end();
  await server.dropDatabase(url);
  return {
    perSecond: count / seconds,
    cpuUs: (used.loop / count) * 1_000,
    postgresUs: (used.postgres / count) * 1_000,
    ...UNCOUNTED,
    updates: [],
  };
}

function toFindings(targets: Target[], results: Record<Target, Run[]>, shares: Record<Kind, Share[]>): Findings {
  const rates = (target: Target) => results[target].map(({ perSecond }) => perSecond);
  const median = (target: Target, of: (run: Run) => number) => format(toSpread(results[target].map(of)).median);
  const loopOf = (target: Target): Target => (target.startsWith("forward") ? "forwardLoop" : "pushLoop");
  const hasLoops = targets.includes("forwardLoop");
  const table: Table = {
    title: "Relay: from the request in to the result recorded",
    columns: ["", "per second", "of the bare loop", "µs CPU", "µs CPU Postgres", "statements"],
    rows: targets.map((target) => [
      TARGETS[target],
      formatSpread(toSpread(rates(target))),
      hasLoops ? formatSpread(toRatio(rates(target), rates(loopOf(target)))) : "–",
      median(target, ({ cpuUs }) => cpuUs),
      median(target, ({ postgresUs }) => postgresUs),
      median(target, ({ statements }) => statements),
    ]),
    notes: [`${CONNECTIONS} connections, ${CONTACTS} contacts, acknowledged at once; CPU and statements per message`],
  };
  const stages = (["forward", "push"] as const).map((kind) => ({
    title: `Relay: what the server executes, ${TARGETS[kind]}`,
    columns: STATEMENT_COLUMNS,
    rows: results[kind].at(-1)?.costliest ?? [],
  }));
  const parts = [...new Set([...shares.forward, ...shares.push].map(({ name }) => name))];
  const percent = (kind: Kind, part: string) => `${format((shares[kind].find(({ name }) => name === part)?.share ?? 0) * 100)} %`;
  const cpu: Table = {
    title: "Relay: where the gateway's processor time goes",
    columns: ["", "callback → desk", "push → sent"],
    rows: parts.map((part) => [part, percent("forward", part), percent("push", part)]),
  };
  return {
    measures: measureRelay(results),
    tables: [table, ...(hasLoops ? [toWrites(results)] : []), cpu, ...stages.filter(({ rows }) => rows.length > 0)],
    goals: [],
  };
}

function toWrites(results: Record<Target, Run[]>): Table {
  const spread = (kind: Kind, of: (run: Run) => number) => formatSpread(toSpread(results[kind].map(of)));
  const ofTable = (run: Run, name: string) => run.updates.find(({ table }) => table === name);
  return {
    title: "Relay: what the server writes",
    columns: ["", "WAL bytes per message", ...HOT_TABLES.flatMap((name) => [`updates of ${name} per message`, "HOT, %"])],
    rows: (["forward", "push"] as const).map((kind) => [
      TARGETS[kind],
      spread(kind, ({ walBytes }) => walBytes),
      ...HOT_TABLES.flatMap((name) => [
        spread(kind, (run) => ofTable(run, name)?.perMessage ?? Number.NaN),
        spread(kind, (run) => 100 * (ofTable(run, name)?.hotShare ?? Number.NaN)),
      ]),
    ]),
    notes: ["a HOT update writes no index; updates are counted from the first message of the warm-up on"],
  };
}
