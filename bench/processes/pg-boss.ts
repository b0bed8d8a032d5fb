import { createTally, type Enqueued, inBatches, type QueueLoad, type Worked } from "../lib/queue.ts";
import { serve } from "../lib/serve.ts";

interface Job {
  id: string;
  data: { key: number; number: number };
}

/** As far as it is used here; the package is not there when types are checked. */
interface Boss {
  on(event: "error", listener: (error: unknown) => void): void;
  start(): Promise<unknown>;
  createQueue(name: string, options: { policy: string }): Promise<void>;
  insert(name: string, jobs: { data: Job["data"]; singletonKey: string }[]): Promise<unknown>;
  fetch(name: string, options: { batchSize: number }): Promise<Job[]>;
  complete(name: string, ids: string[]): Promise<unknown>;
}

const packageName: string = "pg-boss";
const { PgBoss } = (await import(packageName)) as { PgBoss: new (options: object) => Boss };

const QUEUE = "bench";
const LOOPS = 4;
const FETCHED = 100;
let opened: { url: string; boss: Boss } | null = null;

serve({ enqueue, work });

async function enqueue(load: QueueLoad): Promise<Enqueued> {
  const boss = await open(load.url);
  return inBatches(load, (numbers) =>
    boss.insert(
      QUEUE,
      numbers.map((number) => ({ data: { key: number % load.keys, number }, singletonKey: String(number % load.keys) })),
    ),
  );
}

async function work({ url, count }: QueueLoad): Promise<Worked> {
  const boss = await open(url);
  const tally = createTally(count);
  await Promise.all(
    Array.from({ length: LOOPS }, async () => {
      while (!tally.isOver()) {
        const jobs = await boss.fetch(QUEUE, { batchSize: FETCHED });
        if (jobs.length === 0) continue;
        for (const { data } of jobs) tally.note(data.key, data.number);
        await boss.complete(
          QUEUE,
          jobs.map(({ id }) => id),
        );
      }
    }),
  );
  return tally.toWorked();
}

async function open(url: string): Promise<Boss> {
  if (opened?.url === url) return opened.boss;
  // Its housekeeping off and ten connections, as the gateway has them.
  const boss = new PgBoss({ connectionString: url, max: 10, supervise: false, schedule: false });
  boss.on("error", (error) => process.stderr.write(`${String(error)}\n`));
  await boss.start();
  await boss.createQueue(QUEUE, { policy: "key_strict_fifo" });
  opened = { url, boss };
  return boss;
}
