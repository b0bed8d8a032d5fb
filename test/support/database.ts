import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { inject } from "vitest";
import type { DatabaseAddress } from "../../src/store/database.ts";

export const TEMPLATE_DATABASE = "wxdesk_test_template";

export interface TestDatabase {
  /** For `createApp` or `openDatabase`. On a server, any number may open it; embedded, one, which also closes it. */
  address: DatabaseAddress;
  isServer: boolean;
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
    drop: async () => {
      if (!pglite.closed) await pglite.close();
    },
  };
}

async function onServer(url: string): Promise<TestDatabase> {
  const name = `wxdesk_test_${randomBytes(6).toString("hex")}`;
  await asAdmin(url, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE}`);
  const address = new URL(url);
  address.pathname = `/${name}`;
  return {
    address: { kind: "server", url: address.href },
    isServer: true,
    drop: () => asAdmin(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function asAdmin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
