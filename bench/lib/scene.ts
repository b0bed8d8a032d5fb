import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { createAccount, type Gateway, moveAccount, startGateway } from "./gateway.ts";
import { listStatements, listUpdates, perMessage, query, readWalBytes, resetStatements, type Updates } from "./postgres.ts";
import { type Outside, type Stage, startOutside } from "./stage.ts";
import { COUNT_INBOUND, HOT_TABLES } from "./tables.ts";

/** A gateway with everything around it but the load. */
export interface Scene {
  /** Undefined when embedded. */
  databaseUrl: string | undefined;
  outside: Outside;
  gateways: Gateway[];
  addresses: string[];
  /** Where the desk pushes to; empty on a database that was prepared. */
  pushPath: string;
  /** Begins to count what is used. */
  begin(): Promise<void>;
  /** What was used for each of so many messages since `begin`. */
  used(messages: number): Promise<Used>;
  /** Ends everything and says what is in the database. */
  end(): Promise<Ended>;
}

export interface Ended {
  /** Messages of contacts. */
  stored: number;
  /** Of the hot tables, since the database was made; empty when embedded. */
  updates: Updates[];
}

export interface Used {
  /** Microseconds of processor time of all gateways, and of the server; an embedded database is part of the gateway. */
  cpuUs: number;
  postgresUs: number;
  statements: number;
  /** The costliest statements, as rows of a table. */
  costliest: string[][];
  /** Bytes of write-ahead log; NaN when embedded. */
  walBytes: number;
}

/** Of a contender whose statements and log are not counted. */
export const UNCOUNTED: Pick<Used, "statements" | "costliest" | "walBytes"> = {
  statements: Number.NaN,
  costliest: [],
  walBytes: Number.NaN,
};

export interface SceneOptions {
  isEmbedded?: boolean;
  /** One that is there already, with its tables and its account, and stays. */
  preparedUrl?: string;
  replicas?: number;
  role?: "all" | "http";
  passiveWaitMs?: number;
  isDeskDown?: boolean;
}

export async function startScene({ server, profileFolder }: Stage, options: SceneOptions = {}): Promise<Scene> {
  const { isEmbedded = server === null, replicas = 1, role = "all", passiveWaitMs = 0, isDeskDown = false } = options;
  const databaseUrl = isEmbedded ? undefined : (options.preparedUrl ?? (await server?.createDatabase()));
  const outside = await startOutside();
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-bench-"));
  const gateways: Gateway[] = [];
  for (let replica = 0; replica < replicas; replica++) {
    gateways.push(await startGateway({ ...(databaseUrl && { databaseUrl }), folder, role, profileFolder }));
  }
  const [first] = gateways;
  if (first === undefined) throw new Error("a scene has at least one gateway");
  const account = { passiveWaitMs, ...(!isDeskDown && { outside: outside.address }) };
  const pushPath = options.preparedUrl === undefined ? await createAccount(first, account) : "";
  if (options.preparedUrl !== undefined) await moveAccount(first, outside.address);
  const gatewayMs = () => gateways.reduce((sum, gateway) => sum + gateway.cpuMs(), 0);
  const postgresMs = () => (databaseUrl && server ? server.cpuMs() : 0);
  const walBytes = async () => (databaseUrl ? readWalBytes(databaseUrl) : Number.NaN);
  let before = { gateway: 0, postgres: 0, walBytes: 0 };

  return {
    databaseUrl,
    outside,
    gateways,
    addresses: gateways.map(({ address }) => address),
    pushPath,
    begin: async () => {
      await outside.begin();
      before.walBytes = await walBytes();
      if (databaseUrl) await resetStatements(databaseUrl);
      before = { ...before, gateway: gatewayMs(), postgres: postgresMs() };
    },
    used: async (messages) => {
      const used = { gateway: gatewayMs() - before.gateway, postgres: postgresMs() - before.postgres };
      return {
        cpuUs: (used.gateway / messages) * 1_000,
        postgresUs: (used.postgres / messages) * 1_000,
        ...perMessage(databaseUrl ? await listStatements(databaseUrl) : [], messages),
        walBytes: ((await walBytes()) - before.walBytes) / messages,
      };
    },
    end: async () => {
      for (const gateway of gateways) await gateway.stop();
      await outside.end();
      const updates = databaseUrl ? await listUpdates(databaseUrl, HOT_TABLES) : [];
      const stored = databaseUrl ? await countOnServer(databaseUrl) : await countEmbedded(join(folder, "postgres"));
      await rm(folder, { recursive: true, force: true });
      if (databaseUrl && options.preparedUrl === undefined) await server?.dropDatabase(databaseUrl);
      return { stored, updates };
    },
  };
}

async function countOnServer(databaseUrl: string): Promise<number> {
  const [row] = await query<{ count: string }>(databaseUrl, COUNT_INBOUND);
  return Number(row?.count);
}

/** The gateway has ended, so its folder may be opened. */
async function countEmbedded(folder: string): Promise<number> {
  const database = new PGlite(folder);
  const { rows } = await database.query<{ count: number }>(COUNT_INBOUND);
  await database.close();
  return Number(rows[0]?.count);
}
