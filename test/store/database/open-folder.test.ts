import fs, { fstatSync, readdirSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../../../src/store/database/database.ts";

const { fsyncSync } = fs;
let folder: string;
let database: Database;
/** The files that were flushed, by their numbers on the disk. */
let flushed: number[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wxdesk-folder-"));
  database = await openDatabase({ kind: "embedded", folder: join(folder, "postgres") });
  await database.prisma.$executeRaw`CREATE TABLE things (id int)`;
  fs.fsyncSync = (file) => {
    flushed.push(fstatSync(file).ino);
    fsyncSync(file);
  };
  syncBuiltinESMExports();
});

afterAll(async () => {
  fs.fsyncSync = fsyncSync;
  syncBuiltinESMExports();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** The files of the log of which Postgres says that a commit is in them. */
function logFiles(): number[] {
  const log = join(folder, "postgres", "pg_wal");
  return readdirSync(log).map((name) => statSync(join(log, name)).ino);
}

test("what a statement wrote is flushed to the disk before it is answered; one that only reads flushes nothing", async () => {
  flushed = [];
  await database.prisma.$queryRaw`SELECT count(*) FROM things`;
  expect(flushed).toEqual([]);
  for (const id of [1, 2]) {
    flushed = [];
    await database.prisma.$executeRaw`INSERT INTO things VALUES (${id}::int)`;
    expect(logFiles()).toEqual(expect.arrayContaining(flushed));
    expect(flushed).not.toEqual([]);
  }
});

test("a checkpoint flushes tables and folders too, and what was stored is there after the next start", async () => {
  flushed = [];
  await database.prisma.$executeRaw`CHECKPOINT`;
  const log = logFiles();
  expect(flushed.filter((file) => !log.includes(file))).not.toEqual([]);
  await database.close();
  database = await openDatabase({ kind: "embedded", folder: join(folder, "postgres") });
  expect(await database.prisma.$queryRaw`SELECT id FROM things ORDER BY id`).toEqual([{ id: 1 }, { id: 2 }]);
});
