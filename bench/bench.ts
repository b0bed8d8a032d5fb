import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { accept } from "./accept.ts";
import { growth } from "./growth.ts";
import { idle } from "./idle.ts";
import { latency } from "./latency.ts";
import { publish } from "./lib/docs.ts";
import { describeMachine } from "./lib/machine.ts";
import { type Options, readOptions, USAGE } from "./lib/options.ts";
import { installPeers } from "./lib/peers.ts";
import { hasPostgres, type Server, startServer } from "./lib/postgres.ts";
import { say, toText, toTextMeasures } from "./lib/print.ts";
import type { Findings, Report } from "./lib/report.ts";
import type { Stage } from "./lib/stage.ts";
import { queue } from "./queue.ts";
import { relay } from "./relay.ts";
import { scale } from "./scale.ts";

const BENCHMARKS: Readonly<Record<string, (stage: Stage) => Promise<Findings>>> = { accept, relay, queue, latency, growth, idle, scale };
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const RESULTS = fileURLToPath(new URL("results", import.meta.url));

/** Builds, starts a throw-away server where the machine has one, and runs what was asked for. See docs/benchmarks.md. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), Object.keys(BENCHMARKS));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
  installPeers(say);
  const { status } = spawnSync(process.execPath, ["scripts/build.mjs", "--if-stale"], { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) throw new Error("the build failed; run npm run build and see what it says");
  const server = hasPostgres() ? await startServer() : null;
  if (server === null) say("no PostgreSQL server binaries on this machine: embedded only");
  const reports: Report[] = [];
  for (const name of options.names) reports.push(await runBenchmark(name, options, server));
  if (reports.length > 1) say(["== all", ...toTextMeasures(reports), ""].join("\n"));
  await server?.remove();
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(reports, null, 2)}\n`);
  if (options.rendersDocs) publish(reports);
}

async function runBenchmark(name: string, { mode, rounds, profileFolder }: Options, server: Server | null): Promise<Report> {
  say(name);
  const benchmark = BENCHMARKS[name];
  if (benchmark === undefined) throw new Error(`no benchmark ${name}`);
  const findings = await benchmark({ mode, rounds, server, profileFolder, say });
  const machine = describeMachine(server === null ? "embedded Postgres only" : `PostgreSQL ${server.version}`);
  const report: Report = { name, at: new Date().toISOString(), mode, machine, measures: {}, ...findings };
  say(toText(report));
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}/${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(error instanceof TypeError ? `${error.message}\n${USAGE}\n` : `${error instanceof Error ? error.stack : error}\n`);
  process.exit(error instanceof TypeError ? 2 : 1);
}
