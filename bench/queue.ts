import { type Child, startChild } from "./lib/child.ts";
import { expectEqual } from "./lib/expect.ts";
import { measureQueue } from "./lib/measured.ts";
import { findPeer, type Peer } from "./lib/peers.ts";
import { preload, prepareDatabase } from "./lib/preload.ts";
import type { Enqueued, QueueLoad, Worked } from "./lib/queue.ts";
import { atLeast, type Findings, formatSpread, type Table } from "./lib/report.ts";
import { alternate } from "./lib/rounds.ts";
import type { Stage } from "./lib/stage.ts";
import { toRatio, toSpread } from "./lib/statistics.ts";

const SIZES = {
  quick: { rounds: 1, messages: 2_000 },
  normal: { rounds: 3, messages: 10_000 },
  full: { rounds: 5, messages: 20_000 },
};
const KEYS = 500;
/** Of the blocked conversations. */
const BACKLOG = { messages: 100_000, contacts: 50, as: "blocked", prefix: "oBlocks" } as const;

interface Run {
  enqueuedPerSecond: number;
  workedPerSecond: number;
}

type Contender = "wxdesk" | "blocked" | "pg-boss" | "graphile-worker";

/** Enqueue, claim and settle with order per conversation, beside the two queues that one would otherwise take. */
export async function queue(stage: Stage): Promise<Findings> {
  const { server, mode } = stage;
  if (server === null)
    return { tables: [{ title: "Queue: left out, it needs a PostgreSQL server's binaries", columns: [], rows: [] }], goals: [] };
  const peers: Record<string, Peer | null> = {
    "pg-boss": findPeer(["pg-boss"]),
    "graphile-worker": findPeer(["graphile-worker", "graphile-worker-node-20"]),
  };
  const contenders = (["wxdesk", "blocked", "pg-boss", "graphile-worker"] as const).filter((name) => peers[name] !== null);
  const rounds = stage.rounds ?? SIZES[mode].rounds;
  const results = await alternate<Contender, Run>(contenders, rounds, async (name, round) => {
    stage.say(`  round ${round + 1} of ${rounds}: ${name}`);
    return runContender(name, peers[name] ?? null, stage);
  });
  return toFindings(contenders, results, peers);
}

async function runContender(name: Contender, peer: Peer | null, { server, mode }: Stage): Promise<Run> {
  if (server === null) throw new Error("queues need a server");
  const isOurs = name === "wxdesk" || name === "blocked";
  const url = isOurs ? await prepareDatabase(server) : await server.createDatabase();
  if (name === "blocked") await preload(url, BACKLOG);
  const child = await startChild(isOurs ? "store.ts" : `${name}.ts`, peer === null ? {} : { execPath: peer.execPath });
  if (name === "graphile-worker") await child.call("use", { packageName: peer?.packageName, url });
  await runOnce(child, { url, first: 0, count: KEYS, keys: KEYS });
  const run = await runOnce(child, { url, first: KEYS, count: SIZES[mode].messages, keys: KEYS });
  await child.end();
  await server.dropDatabase(url);
  return run;
}

async function runOnce(child: Child, load: QueueLoad): Promise<Run> {
  const enqueued = await child.call<Enqueued>("enqueue", load);
  const worked = await child.call<Worked>("work", load);
  expectEqual("out of order", worked.disordered, 0);
  // One that is cut off by the time limit has the rate of what it got done.
  return { enqueuedPerSecond: load.count / enqueued.seconds, workedPerSecond: worked.done / worked.seconds };
}

function toFindings(contenders: Contender[], results: Record<Contender, Run[]>, peers: Record<string, Peer | null>): Findings {
  const rates = (name: Contender, of: keyof Run) => results[name].map((run) => run[of]);
  const ratios = (name: Contender, of: keyof Run) => formatSpread(toRatio(rates(name, of), rates("wxdesk", of)));
  const titles: Record<Contender, string> = {
    wxdesk: "wxdesk's store, whole messages",
    blocked: "wxdesk's store, 100,000 messages waiting behind 50 blocked conversations",
    "pg-boss": `pg-boss ${peers["pg-boss"]?.version}, key_strict_fifo`,
    "graphile-worker": `graphile-worker ${peers["graphile-worker"]?.version}, named queues`,
  };
  const leftOut = Object.entries(peers).flatMap(([name, peer]) => (peer === null ? [name] : []));
  const table: Table = {
    title: "Queue: messages per second, order kept per conversation",
    columns: ["", "enqueue", "of wxdesk", "claim and settle", "of wxdesk"],
    rows: contenders.map((name) => [
      titles[name],
      formatSpread(toSpread(rates(name, "enqueuedPerSecond"))),
      ratios(name, "enqueuedPerSecond"),
      formatSpread(toSpread(rates(name, "workedPerSecond"))),
      ratios(name, "workedPerSecond"),
    ]),
    notes: [
      `${KEYS} conversations, enqueued in batches of 50, four at once`,
      ...leftOut.map((name) => `${name} is left out: it needs a newer Node than ${process.version}; set BENCH_NODE to one`),
    ],
  };
  const goals = [
    atLeast(
      "queue: no slower than half behind 100,000 blocked messages, enqueue",
      toRatio(rates("blocked", "enqueuedPerSecond"), rates("wxdesk", "enqueuedPerSecond")).median,
      0.5,
    ),
    atLeast(
      "queue: no slower than half behind 100,000 blocked messages, claim and settle",
      toRatio(rates("blocked", "workedPerSecond"), rates("wxdesk", "workedPerSecond")).median,
      0.5,
    ),
  ];
  return { measures: measureQueue(results), tables: [table], goals };
}
