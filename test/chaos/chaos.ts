import { randomInt } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Span } from "./books.ts";
import { check } from "./check.ts";
import { collect } from "./collect.ts";
import { drain } from "./drain.ts";
import { createFaults, type Faults } from "./faults.ts";
import { countOvertaken, findTrouble, toTroubles } from "./logs.ts";
import { type ChaosOptions, readOptions, USAGE } from "./options.ts";
import { type Plan, toPlan } from "./plan.ts";
import { say, sayOffenders, toSummary, toTable } from "./print.ts";
import type { Crash } from "./replica.ts";
import { createTraffic, type Traffic } from "./traffic.ts";
import { startWorld, type World } from "./world.ts";

/** Proves that nothing is lost and nothing is said twice, whatever ends, hangs or lies meanwhile. See README.md. */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), () => randomInt(1_000_000));
  const plan = toPlan(options);
  const { seed, secondsMax } = options;
  say(toSummary(plan, options));
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-chaos-"));
  const tooLong = setTimeout(() => {
    say(`FAILED: not done after ${secondsMax} s; logs in ${folder}`);
    process.exit(1);
  }, secondsMax * 1_000);
  // "exit" handlers end the replicas and the server; a signal alone would leave them behind.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
  const isFine = await run(options, plan, folder);
  clearTimeout(tooLong);
  if (isFine) await rm(folder, { recursive: true, force: true });
  say(isFine ? "passed" : `FAILED: repeat it with --seed ${seed}; logs in ${folder}`);
  return isFine ? 0 : 1;
}

async function run({ seed }: ChaosOptions, plan: Plan, folder: string): Promise<boolean> {
  const startedAt = Date.now();
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  const world = await startWorld(plan, folder);
  if (!world.canSkewClocks) say(NO_CLOCKS);
  const traffic = createTraffic(plan, world);
  const faults = createFaults(plan, world, traffic);
  try {
    const isDrained = await play(world, traffic, faults);
    const books = await collect(plan, world, traffic, faults.databaseAway, lag.max / 1e6);
    const { findings, figures } = check(books);
    const seconds = (Date.now() - startedAt) / 1_000;
    const lagMsMax = lag.max / 1e6;
    const clockReadingsMs = world.canSkewClocks ? world.replicas.flatMap((replica) => replica.clockReadingsMs) : null;
    const overtaken = countOvertaken((await readLogs(world)).map(({ log }) => log));
    say(toTable(figures, { seed, plan, seconds, faultsDone: faults.done, clockReadingsMs, overtaken, findings, lagMsMax }));
    if (lagMsMax > LAG_MS_MAX) say(SLOW);
    for (const { kind, openId, detail, messageId } of findings) say(`${kind}: ${openId} ${detail} ${messageId ?? ""}`);
    await sayOffenders(findings, books, world);
    const problems = [
      ...(isDrained ? [] : ["work is left over"]),
      ...(await stopAll(world, faults.databaseAway)),
      ...(await checkLogs(world, faults)),
    ];
    for (const problem of problems) say(problem);
    return findings.length === 0 && problems.length === 0;
  } finally {
    await world.close();
  }
}

/** The outsides live in this process: when it stands still, WeChat hangs up on answers that have arrived. */
const LAG_MS_MAX = 1_000;
const NO_CLOCKS = "  libfaketime is not installed and cannot be: the replicas' clocks are left right, and that fault is left out";
const SLOW = "  the machine was too slow for this much traffic, which alone may be what failed: take fewer --customers, or let it be alone";

async function play({ databaseUrl }: World, traffic: Traffic, faults: Faults): Promise<boolean> {
  const startedAt = Date.now();
  await traffic.play((count) => {
    faults.reach(count);
    if (count % 1_000 === 0)
      say(`  ${count} messages, ${faults.done.length} faults begun after ${((Date.now() - startedAt) / 1_000).toFixed(0)} s`);
  });
  await faults.end();
  return drain(databaseUrl, traffic);
}

/** Every replica goes when it is asked to, and none has gone before; a start may fail whose database goes away under it. */
async function stopAll({ replicas }: World, databaseAway: readonly Span[]): Promise<string[]> {
  await Promise.all(replicas.map((replica) => replica.stop()));
  const isExplained = ({ at, isStarting }: Crash) =>
    isStarting && databaseAway.some(({ from, to }) => from <= at && at <= to + CRASH_MS_MAX);
  return replicas.flatMap(({ name, stopCodes, crashes }) => {
    const sudden = crashes.filter((crash) => !isExplained(crash));
    return [
      ...sudden.map(({ at, code }) => `${name} ended by itself with ${code} at ${new Date(at).toISOString()}`),
      ...stopCodes.filter((code) => code !== 0).map((code) => `${name} ended with code ${code} when it was asked to stop`),
    ];
  });
}

/** From the loss of its database to the end of a start. */
const CRASH_MS_MAX = 2_000;

async function checkLogs(world: World, { databaseAway, standstills }: Faults): Promise<string[]> {
  return (await readLogs(world)).flatMap(({ name, log }) => {
    const standstillsHere = standstills.filter(({ replica }) => replica === name);
    return findTrouble(log, toTroubles(databaseAway, standstillsHere)).map((line) => `${name} wrote: ${line.slice(0, 1_000)}`);
  });
}

function readLogs({ replicas }: World): Promise<{ name: string; log: string }[]> {
  return Promise.all(replicas.map(async ({ name, logFile }) => ({ name, log: await readFile(logFile, "utf8") })));
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  say(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
