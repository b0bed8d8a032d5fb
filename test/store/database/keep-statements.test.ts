import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../../../src/store/database/database.ts";

let pglite: PGlite;
let database: Database;
let prisma: Database["prisma"];

beforeAll(async () => {
  pglite = new PGlite();
  database = await openDatabase({ kind: "opened", pglite });
  prisma = database.prisma;
  await pglite.exec("CREATE TABLE things (id int PRIMARY KEY, words text[], at timestamptz, extra jsonb, bytes bytea)");
});

afterAll(() => database.close());

const put = (id: number) => prisma.$executeRaw`INSERT INTO things (id) VALUES (${id}::int)`;
const find = (id: number) => prisma.$queryRaw<{ id: number }[]>`SELECT id FROM things WHERE id = ${id}::int`;

test("a statement is parsed and planned once, and answers by its values each time", async () => {
  const read = (words: string[]) => prisma.$queryRaw<{ word: string }[]>`SELECT word FROM unnest(${words}::text[]) word ORDER BY word`;
  for (const words of [["b", "a"], [], ["'{,}\"\\", "c", "NULL"]]) {
    expect(await read(words)).toEqual([...words].sort().map((word) => ({ word })));
  }
  const { rows } = await pglite.query(
    "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%unnest%ORDER BY word'",
  );
  expect(rows).toEqual([{ generic_plans: 3, custom_plans: 0 }]);
});

test("what is planned while a table is empty finds its rows by index when it is full", async () => {
  await pglite.exec("CREATE TABLE filling (id int PRIMARY KEY)");
  const count = (last: number) =>
    prisma.$queryRaw`SELECT count(*)::int FROM generate_series(1, ${last}::int) asked (id) JOIN filling f ON f.id = asked.id`;
  expect(await count(1)).toEqual([{ count: 0 }]);
  await pglite.exec("INSERT INTO filling SELECT generate_series(1, 1000)");
  expect(await count(2)).toEqual([{ count: 2 }]);
  const kept = await pglite.query<{ name: string }>("SELECT name FROM pg_prepared_statements WHERE statement LIKE 'SELECT count%filling%'");
  const [plan] = await pglite.exec(`EXPLAIN (COSTS OFF) EXECUTE ${kept.rows[0]?.name} (2)`, { rowMode: "array" });
  expect(String(plan?.rows)).toMatch(/Index (Only )?Scan using filling_pkey/);
});

test("values of every kind come back as they went in, also nothing", async () => {
  const [at, bytes, extra] = [new Date(1_700_000_000_123), new Uint8Array([0, 255, 10]), { text: 'ein "Wort"\n', of: [1, null] }];
  for (const id of [1, 2]) {
    await prisma.$executeRaw`INSERT INTO things VALUES (${id}::int, ${["x"]}::text[], ${at}::timestamptz, ${JSON.stringify(extra)}::jsonb, ${bytes}::bytea)`;
    expect(await prisma.$queryRaw`SELECT words, at, extra, bytes FROM things WHERE id = ${id}::int`).toEqual([
      { words: ["x"], at, extra, bytes },
    ]);
  }
  await prisma.$executeRaw`INSERT INTO things VALUES (${3}::int, ${null}::text[], ${null}::timestamptz, ${null}::jsonb, ${null}::bytea)`;
  expect(await prisma.$queryRaw`SELECT words, at, extra, bytes FROM things WHERE id = ${3}::int`).toEqual([
    { words: null, at: null, extra: null, bytes: null },
  ]);
});

test("a statement that fails fails alone: the same one and others go on", async () => {
  expect(await put(10)).toBe(1);
  await expect(put(10)).rejects.toThrow(/duplicate key|Unique constraint/);
  expect(await put(11)).toBe(1);
  const wrong = () => prisma.$queryRaw`SELECT nothing FROM nowhere WHERE id = ${1}::int`;
  await expect(wrong()).rejects.toThrow(/nowhere/);
  await expect(wrong()).rejects.toThrow(/nowhere/);
  expect(await find(11)).toEqual([{ id: 11 }]);
});

test("a statement beside a transaction stays out of it", async () => {
  let beside: Promise<number> | undefined;
  const undone = prisma.$transaction(async (tx) => {
    await tx.$executeRaw`INSERT INTO things (id) VALUES (20)`;
    beside = put(21);
    beside.catch(() => {});
    await tx.$executeRaw`INSERT INTO things (id) VALUES (22)`;
    throw new Error("undone");
  });
  await expect(undone).rejects.toThrow("undone");
  expect(await beside).toBe(1);
  expect(await prisma.$queryRaw`SELECT id FROM things WHERE id BETWEEN 20 AND 22`).toEqual([{ id: 21 }]);
});

test("between statements that wait, the event loop has a turn", async () => {
  const seen: string[] = [];
  const statements = [find(1), find(2), find(3)].map((found, index) => found.then(() => seen.push(`statement ${index}`)));
  // As a request that lies in its socket: without turns it would be read after the last statement.
  const request = new Promise<void>((resolve) => setImmediate(() => setImmediate(() => resolve(void seen.push("request")))));
  await Promise.all([...statements, request]);
  expect(seen.indexOf("request")).toBeLessThan(seen.indexOf("statement 2"));
});

test("a database that is opened again goes on with what it has kept", async () => {
  const again = await openDatabase({ kind: "opened", pglite });
  const sum = (of: Database, a: number) => of.prisma.$queryRaw`SELECT 40 + ${a}::int AS sum`;
  expect(await Promise.all([sum(database, 1), sum(again, 2), sum(database, 3)])).toEqual([[{ sum: 41 }], [{ sum: 42 }], [{ sum: 43 }]]);
});

test("only so many are kept, and the others are answered too", async () => {
  for (let index = 0; index < 120; index++) {
    expect(await prisma.$queryRawUnsafe(`SELECT ${index} + $1::int AS sum`, index)).toEqual([{ sum: 2 * index }]);
  }
  const { rows } = await pglite.query<{ kept: number }>("SELECT count(*)::int AS kept FROM pg_prepared_statements");
  expect(rows).toEqual([{ kept: 100 }]);
});
