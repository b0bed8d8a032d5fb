import pg from "pg";
import { createTally, type Enqueued, inBatches, type QueueLoad, type Worked } from "../lib/queue.ts";
import { serve } from "../lib/serve.ts";

interface Payload {
  key: number;
  number: number;
}

/** As far as it is used here; the package is not there when types are checked. */
interface Graphile {
  runMigrations(options: object): Promise<void>;
  run(options: object): Promise<{ stop(): Promise<void> }>;
  Logger: new (factory: () => () => void) => unknown;
}

const CONCURRENCY = 32;
let library: { graphile: Graphile; pool: pg.Pool } | null = null;

serve({
  /** Which of the two installed versions; the newer one does not run on Node 20. */
  use: async ({ packageName, url }: { packageName: string; url: string }) => {
    const graphile = (await import(packageName)) as Graphile;
    const pool = new pg.Pool({ connectionString: url, max: CONCURRENCY + 2 });
    pool.on("error", handleErrors);
    pool.on("connect", handleErrors);
    library = { graphile, pool };
    await graphile.runMigrations(toOptions());
  },
  enqueue,
  work,
});

/** It wants them on the pool and on each of its clients. */
function handleErrors(from: Error | pg.PoolClient): void {
  if (from instanceof Error) process.stderr.write(`${from.message}\n`);
  else from.on("error", handleErrors);
}

async function enqueue(load: QueueLoad): Promise<Enqueued> {
  const { pool } = toLibrary();
  return inBatches(load, (numbers) => pool.query({ name: "add", text: ADD, values: [numbers, load.keys] }));
}

const ADD = `
  SELECT count(*) FROM graphile_worker.add_jobs((
    SELECT array_agg(json_populate_record(NULL::graphile_worker.job_spec, json_build_object(
      'identifier', 'bench', 'queue_name', 'key ' || number % $2::int, 'payload', json_build_object('key', number % $2::int, 'number', number)
    )) ORDER BY number) FROM unnest($1::int[]) number))`;

async function work({ count }: QueueLoad): Promise<Worked> {
  const tally = createTally(count);
  const runner = await toLibrary().graphile.run({
    ...toOptions(),
    concurrency: CONCURRENCY,
    noHandleSignals: true,
    pollInterval: 100,
    taskList: { bench: async ({ key, number }: Payload) => tally.note(key, number) },
  });
  await tally.over;
  const worked = tally.toWorked();
  await runner.stop();
  return worked;
}

function toOptions() {
  const { graphile, pool } = toLibrary();
  return { pgPool: pool, logger: new graphile.Logger(() => () => {}) };
}

function toLibrary() {
  if (library === null) throw new Error("call use first");
  return library;
}
