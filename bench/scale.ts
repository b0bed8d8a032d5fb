import { expectEqual, until } from "./lib/expect.ts";
import { query } from "./lib/postgres.ts";
import { type Findings, format, formatSpread, type Table } from "./lib/report.ts";
import { alternate } from "./lib/rounds.ts";
import { startScene, type Used } from "./lib/scene.ts";
import { CONNECTIONS, type Loader, type Stage, startLoader } from "./lib/stage.ts";
import { toRatio, toSpread } from "./lib/statistics.ts";
import { STORED_TABLES } from "./lib/tables.ts";

const SIZES = {
  quick: { rounds: 1, warmUp: 500, messages: 500 },
  normal: { rounds: 3, warmUp: 5_000, messages: 10_000 },
  full: { rounds: 5, warmUp: 20_000, messages: 50_000 },
};
const CONTACTS = 500;
const SECONDS_MAX = 300;
const REPLICAS = ["1", "2", "4"] as const;

interface Run extends Used {
  acceptedPerSecond: number;
  relayedPerSecond: number;
  size: Size;
}

interface Size {
  messageBytes: number;
  indexBytes: number;
}

/** Several gateways on one server; and what a message takes there on disk, which is what bounds it in the end. */
export async function scale(stage: Stage): Promise<Findings> {
  if (stage.server === null)
    return { tables: [{ title: "Scale-out: left out, it needs a PostgreSQL server's binaries", columns: [], rows: [] }], goals: [] };
  const rounds = stage.rounds ?? SIZES[stage.mode].rounds;
  const loader = await startLoader();
  const results = await alternate(REPLICAS, rounds, async (replicas, round) => {
    stage.say(`  round ${round + 1} of ${rounds}: ${replicas} replicas`);
    return runReplicas(Number(replicas), stage, loader);
  });
  await loader.end();
  return toFindings(results);
}

async function runReplicas(replicas: number, stage: Stage, loader: Loader): Promise<Run> {
  const { warmUp, messages } = SIZES[stage.mode];
  const scene = await startScene(stage, { replicas });
  const url = scene.databaseUrl ?? "";
  const load = { addresses: scene.addresses, connections: CONNECTIONS, repeats: false, secondsMax: SECONDS_MAX };
  const relayed = (wanted: number) =>
    until(`${wanted} at the desk`, async () => (await scene.outside.counts()).submissions >= wanted, SECONDS_MAX);
  await scene.outside.begin();
  await loader.makeCallbacks({ first: 0, count: warmUp, contacts: CONTACTS });
  await loader.closed({ ...load, insists: true });
  await relayed(warmUp);

  await loader.makeCallbacks({ first: warmUp, count: messages, contacts: CONTACTS });
  await scene.begin();
  const before = await measureSize(url);
  const startedAt = performance.now();
  const { taken, seconds: accepting } = await loader.closed(load);
  expectEqual("callbacks taken", taken, messages);
  await relayed(messages);
  const relaying = (performance.now() - startedAt) / 1_000;
  const used = await scene.used(messages);
  const after = await measureSize(url);
  const counts = await scene.outside.counts();
  expectEqual("out of order", counts.disordered, 0);
  expectEqual("messages stored", (await scene.end()).stored, warmUp + messages);
  const per = (of: keyof Size) => (after[of] - before[of]) / messages;
  return {
    acceptedPerSecond: messages / accepting,
    relayedPerSecond: messages / relaying,
    ...used,
    size: { messageBytes: per("messageBytes"), indexBytes: per("indexBytes") },
  };
}

async function measureSize(url: string): Promise<Size> {
  const [row] = await query<Record<keyof Size, string>>(
    url,
    `SELECT sum(pg_table_size(t)) AS "messageBytes", sum(pg_indexes_size(t)) AS "indexBytes"
     FROM unnest($1::text[]::regclass[]) t`,
    [STORED_TABLES],
  );
  return { messageBytes: Number(row?.messageBytes), indexBytes: Number(row?.indexBytes) };
}

function toFindings(results: Record<(typeof REPLICAS)[number], Run[]>): Findings {
  const values = (name: (typeof REPLICAS)[number], of: (run: Run) => number) => results[name].map(of);
  const median = (name: (typeof REPLICAS)[number], of: (run: Run) => number) => format(toSpread(values(name, of)).median);
  const table: Table = {
    title: "Scale-out: replicas on one server",
    columns: [
      "replicas",
      "accepted per second",
      "relayed per second",
      "of one replica",
      "µs CPU gateways",
      "µs CPU Postgres",
      "Postgres' share",
    ],
    rows: REPLICAS.map((name) => [
      name,
      formatSpread(toSpread(values(name, ({ acceptedPerSecond }) => acceptedPerSecond))),
      formatSpread(toSpread(values(name, ({ relayedPerSecond }) => relayedPerSecond))),
      formatSpread(
        toRatio(
          values(name, ({ relayedPerSecond }) => relayedPerSecond),
          values("1", ({ relayedPerSecond }) => relayedPerSecond),
        ),
      ),
      median(name, ({ cpuUs }) => cpuUs),
      median(name, ({ postgresUs }) => postgresUs),
      `${format(toSpread(values(name, ({ cpuUs, postgresUs }) => (100 * postgresUs) / (cpuUs + postgresUs))).median)} %`,
    ]),
    notes: ["gateways, Postgres, load and desk share the machine's cores: with few of them more replicas have nothing to run on"],
  };
  const bytes: Table = {
    title: "What a message takes on disk, in bytes",
    columns: ["tables (messages, attempts)", "their indexes", "written ahead (WAL)"],
    rows: [
      [median("1", ({ size }) => size.messageBytes), median("1", ({ size }) => size.indexBytes), median("1", ({ walBytes }) => walBytes)],
    ],
  };
  return { tables: [table, bytes], goals: [] };
}
