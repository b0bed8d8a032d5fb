import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrate.ts";
import { TEMPLATE_DATABASE } from "./database.ts";

/**
 * Prepares one migrated database, from which every test takes its own: an image of an embedded one, or a template on the server
 * that TEST_DATABASE_URL names.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const serverUrl = process.env.TEST_DATABASE_URL;
  return serverUrl ? prepareServer(serverUrl) : prepareImage(project);
}

async function prepareImage(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-test-"));
  const pglite = new PGlite();
  const database = await openDatabase({ kind: "opened", pglite });
  await migrate(database);
  const image = await pglite.dumpDataDir("none");
  const path = join(folder, "migrated.tar");
  await writeFile(path, Buffer.from(await image.arrayBuffer()));
  await database.close();
  project.provide("databaseImage", path);
  return () => rm(folder, { recursive: true, force: true });
}

async function prepareServer(url: string): Promise<() => Promise<void>> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${TEMPLATE_DATABASE}`);
  await admin.query(`CREATE DATABASE ${TEMPLATE_DATABASE}`);
  const templateUrl = new URL(url);
  templateUrl.pathname = `/${TEMPLATE_DATABASE}`;
  const database = await openDatabase({ kind: "server", url: templateUrl.href });
  await migrate(database);
  await database.close();
  return async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${TEMPLATE_DATABASE}`);
    await admin.end();
  };
}

declare module "vitest" {
  interface ProvidedContext {
    databaseImage: string;
  }
}
