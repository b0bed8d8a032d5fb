import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { inject } from "vitest";
import type { DatabaseAddress } from "../../src/store/database/database.ts";

export const TEMPLATE_DATABASE = "wxdesk_test_template";

export interface TestDatabase {
  /** For `createApp` or `openDatabase`. On a server, any number may open it; embedded, one, which also closes it. */
  address: DatabaseAddress;
  isServer: boolean;
  /** Runs statements beside the gateway, for what no request can bring about: time that has passed, another version's rows. */
  execute(sql: string): Promise<void>;
  /** Removes it. Call it when everything that uses it is closed. */
  drop(): Promise<void>;
}

/** A migrated, empty database of the test's own: on the server of TEST_DATABASE_URL, else embedded in memory. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = process.env.TEST_DATABASE_URL;
  return serverUrl ? onServer(serverUrl) : inMemory();
}

async function inMemory(): Promise<TestDatabase> {
  const image = new Blob([await readFile(inject("databaseImage"))]);
  const pglite = new PGlite({ loadDataDir: image });
  await pglite.waitReady;
  return {
    address: { kind: "opened", pglite },
    isServer: false,
    execute: async (sql) => {
      await pglite.exec(sql);
    },
    drop: async () => {
      if (!pglite.closed) await pglite.close();
    },
  };
}

async function onServer(url: string): Promise<TestDatabase> {
  const name = `wxdesk_test_${randomBytes(6).toString("hex")}`;
  await runOn(url, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE}`);
  const address = new URL(url);
  address.pathname = `/${name}`;
  return {
    address: { kind: "server", url: address.href },
    isServer: true,
    execute: (sql) => runOn(address.href, sql),
    drop: () => runOn(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function runOn(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
