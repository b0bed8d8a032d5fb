import { expectEqual, until } from "./lib/expect.ts";
import { measureGrowth } from "./lib/measured.ts";
import type { Server } from "./lib/postgres.ts";
import { preload, prepareDatabase } from "./lib/preload.ts";
import { atMost, type Findings, format, formatSpread, type Table } from "./lib/report.ts";
import { alternate } from "./lib/rounds.ts";
import { startScene, type Used } from "./lib/scene.ts";
import { CONNECTIONS, type Loader, type Stage, startLoader } from "./lib/stage.ts";
import { toRatio, toSpread } from "./lib/statistics.ts";

const SIZES = {
  quick: { rounds: 1, messages: 1_000, stored: [10_000, 100_000], contacts: [100, 10_000], waiting: 100_000 },
  normal: { rounds: 3, messages: 3_000, stored: [10_000, 1_000_000], contacts: [100, 100_000], waiting: 100_000 },
  full: { rounds: 3, messages: 10_000, stored: [10_000, 1_000_000, 10_000_000], contacts: [100, 100_000], waiting: 100_000 },
};
const WARM_UP = 300;
const SECONDS_MAX = 300;
/** Who all wait for a desk that is away, that of another account than the load's. */
const WAITING_CONTACTS = 10_000;

interface Case {
  title: string;
  stored: number;
  contacts: number;
  waiting: number;
}

interface Run extends Used {
  msPerMessage: number;
}

/** What a message costs, from the callback to the desk, by how much there is already. */
export async function growth(stage: Stage): Promise<Findings> {
  const { server } = stage;
  if (server === null)
    return { tables: [{ title: "Growth: left out, it needs a PostgreSQL server's binaries", columns: [], rows: [] }], goals: [] };
  const cases = toCases(stage);
  const urls = new Map<string, string>();
  for (const each of cases) {
    stage.say(`  storing: ${each.title}`);
    urls.set(each.title, await prepareCase(server, each));
  }
  const loader = await startLoader();
  const names = cases.map(({ title }) => title);
  const rounds = stage.rounds ?? SIZES[stage.mode].rounds;
  const results = await alternate(names, rounds, async (title, round) => {
    stage.say(`  round ${round + 1} of ${rounds}: ${title}`);
    const found = cases.find((each) => each.title === title);
    if (found === undefined) throw new Error(`no case ${title}`);
    return runCase(found, urls.get(title) ?? "", round, stage, loader);
  });
  await loader.end();
  for (const url of urls.values()) await server.dropDatabase(url);
  return toFindings(names, results);
}

function toCases({ mode }: Stage): Case[] {
  const { stored, contacts, waiting } = SIZES[mode];
  const [few = 0, many = 0] = contacts;
  const [smallest = 0, ...larger] = stored;
  const title = (messages: number, of: number) => `${format(messages)} messages of ${format(of)} contacts`;
  return [
    { title: title(smallest, few), stored: smallest, contacts: few, waiting: 0 },
    ...larger.flatMap((messages) => [
      { title: title(messages, few), stored: messages, contacts: few, waiting: 0 },
      { title: title(messages, many), stored: messages, contacts: many, waiting: 0 },
    ]),
    { title: `${title(smallest, few)}, ${format(waiting)} waiting for a dead desk`, stored: smallest, contacts: few, waiting },
  ];
}

async function prepareCase(server: Server, { stored, contacts, waiting }: Case): Promise<string> {
  const url = await prepareDatabase(server);
  await preload(url, { messages: stored, contacts, as: "forwarded", prefix: "oBench" });
  if (waiting > 0) await preload(url, { messages: waiting, contacts: WAITING_CONTACTS, as: "away", prefix: "oWaits" });
  return url;
}

async function runCase(
  { contacts, stored, waiting }: Case,
  databaseUrl: string,
  round: number,
  stage: Stage,
  loader: Loader,
): Promise<Run> {
  const { messages } = SIZES[stage.mode];
  const scene = await startScene(stage, { preparedUrl: databaseUrl });
  const load = { addresses: scene.addresses, connections: CONNECTIONS, repeats: false, secondsMax: SECONDS_MAX };
  const first = round * (WARM_UP + messages);
  const relayed = (wanted: number) =>
    until(`${wanted} at the desk`, async () => (await scene.outside.counts()).submissions >= wanted, SECONDS_MAX);
  await scene.outside.begin();
  await loader.makeCallbacks({ first, count: WARM_UP, contacts });
  await loader.closed({ ...load, insists: true });
  await relayed(WARM_UP);

  await loader.makeCallbacks({ first: first + WARM_UP, count: messages, contacts });
  await scene.begin();
  const startedAt = performance.now();
  const { taken } = await loader.closed(load);
  expectEqual("callbacks taken", taken, messages);
  await relayed(messages);
  const seconds = (performance.now() - startedAt) / 1_000;
  const used = await scene.used(messages);
  expectEqual("messages stored", (await scene.end()).stored, stored + waiting + (round + 1) * (WARM_UP + messages));
  return { msPerMessage: (seconds * 1_000) / messages, ...used };
}

function toFindings(names: string[], results: Record<string, Run[]>): Findings {
  const [smallest = ""] = names;
  const values = (name: string, of: (run: Run) => number) => (results[name] ?? []).map(of);
  const cpu = ({ cpuUs, postgresUs }: Run) => cpuUs + postgresUs;
  const cells = (name: string, of: (run: Run) => number) => [
    formatSpread(toSpread(values(name, of))),
    formatSpread(toRatio(values(name, of), values(smallest, of))),
  ];
  const table: Table = {
    title: "Growth: cost of a message from callback to desk",
    columns: ["there already", "µs CPU", "of the smallest", "statements", "of the smallest", "ms", "of the smallest"],
    rows: names.map((name) => [
      name,
      ...cells(name, cpu),
      ...cells(name, ({ statements }) => statements),
      ...cells(name, ({ msPerMessage }) => msPerMessage),
    ]),
    notes: ["CPU of gateway and Postgres together; the load writes for the same contacts; the dead desk is another account's"],
  };
  const goals = names.slice(1).flatMap((name) =>
    (["CPU", "statements", "time"] as const).map((what) => {
      const of = { CPU: cpu, statements: (run: Run) => run.statements, time: (run: Run) => run.msPerMessage }[what];
      return atMost(`growth: ${what} within 1.2 of the smallest, ${name}`, toRatio(values(name, of), values(smallest, of)).median, 1.2);
    }),
  );
  // The case with the dead desk comes last.
  return { measures: measureGrowth({ waiting: results[names.at(-1) ?? ""], without: results[smallest] }), tables: [table], goals };
}
