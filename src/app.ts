import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { summarize } from "./config.ts";
import { createConnections } from "./connections.ts";
import { createDelivery } from "./delivery/delivery.ts";
import { createRetention } from "./delivery/retention.ts";
import { createCircuitBreaker } from "./domain/circuit-breaker.ts";
import { ConfigError } from "./domain/errors.ts";
import type { ApiKeyStore, Store } from "./domain/store.ts";
import { forward } from "./flow/forward.ts";
import { relay } from "./flow/relay.ts";
import { createHttpServer } from "./http/server.ts";
import { createAccessTokens } from "./lib/access-tokens.ts";
import { lockFolder } from "./lib/folder-lock.ts";
import { createHttpClient } from "./lib/http-client.ts";
import { createLogger } from "./lib/logger.ts";
import { loadOrCreateMasterKey } from "./lib/master-key.ts";
import { createSecretBox } from "./lib/secret-box.ts";
import { createSignals } from "./lib/signals.ts";
import { LANES_CHANNEL, toLane } from "./store/announce.ts";
import { type Database, type DatabaseAddress, openDatabase } from "./store/database.ts";
import { migrate } from "./store/migrate.ts";
import { createStore } from "./store/store.ts";

export interface App {
  /** `http://host:port`, known once it listens. */
  readonly address: string;
  /** The first admin key when this start generated it; it is shown nowhere else. */
  readonly adminKey: string | null;
  listen(): Promise<string>;
  /** Finishes what is open, gives back what is claimed. Within ten seconds. */
  close(): Promise<void>;
}

/** What only tests and the demo want otherwise. */
export interface AppOptions {
  database?: DatabaseAddress;
  pauseMs?: (failures: number) => number;
  pollMs?: number;
  breakerPauseMs?: number;
  leaseMs?: number;
}

/** Longer than a token fetch and a send together. */
const LEASE_MS = 30_000;
const STOP_GRACE_MS = 4_000;
/** A callback that came just before the stop is answered by then; what is still open is a client that trickles or says nothing. */
const CONNECTIONS_GRACE_MS = 5_000;
const IDLE_LOOK_MS = 50;
const ADMIN_KEY_CHARACTERS_MIN = 16;

/**
 * Puts everything together. Opens and migrates the database, but does not listen yet.
 * @throws ConfigError when something is set up wrongly; the text says what to change
 */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  const logger = createLogger({ level: config.logLevel });
  const opened = await open(config, options);
  try {
    return await assemble(config, options, opened, logger);
  } catch (error) {
    await opened.database.close();
    await opened.unlock();
    throw error;
  }
}

async function assemble(config: Config, options: AppOptions, { database, unlock }: OpenedDatabase, logger: Logger): Promise<App> {
  const migrations = await migrate(database);
  const { masterKey, isMasterKeyNew } = await readMasterKey(config);
  const box = createSecretBox({ current: masterKey, ...(config.previousMasterKey && { previous: config.previousMasterKey }) });
  const store = createStore(database, box);
  if (database.isExclusive) await store.outbox.releaseEverything();
  await proveMasterKey(store);
  const adminKey = await ensureAdminKey(store.apiKeys, config.adminKey);
  logger.info({ ...summarize(config), migrations }, "gateway.starting");
  if (config.adminKey !== undefined && config.adminKey.length < ADMIN_KEY_CHARACTERS_MIN) {
    logger.warn({ remedy: "set WXDESK_ADMIN_KEY to a long random value" }, "admin-key.short: it can be guessed");
  }
  if (isMasterKeyNew)
    logger.warn({ file: join(config.dataDir, "master.key") }, "master-key.created: back this file up, stored secrets are lost without it");

  const now = () => new Date();
  const signals = createSignals();
  const http = createHttpClient();
  const tokens = createAccessTokens({ store: store.accessTokens, now });
  const connections = createConnections({ accounts: store.accounts, http, tokens, now });
  const leaseMs = options.leaseMs ?? LEASE_MS;
  const retry = { now, ...(options.pauseMs && { pauseMs: options.pauseMs }) };
  const breaker = createCircuitBreaker(options.breakerPauseMs);
  const delivery = createDelivery({
    outbox: store.outbox,
    signals,
    log: logger,
    leaseMs,
    ...(options.pollMs && { pollMs: options.pollMs }),
    steps: {
      inbound: (claim, entry, signal) => forward(claim, entry, { ...retry, connections, breaker }, signal),
      outbound: (claim, entry, signal) =>
        relay(claim, entry, { ...retry, connections, outbox: store.outbox, accounts: store.accounts, leaseMs }, signal),
    },
  });

  const retention = createRetention({ retention: store.retention, days: config.retentionDays, now, log: logger });

  let isStopping = false;
  let address = "";
  let unhear = async () => {};
  const hasWorker = config.role !== "http";
  const shared = { connections, signals, deliver: delivery.deliver, now, log: logger };
  const server = await createHttpServer({
    logger,
    version: readVersion(),
    surfaces:
      config.role === "worker"
        ? null
        : {
            callbacks: { ...shared, inbound: store.inbound, outbox: store.outbox },
            push: { ...shared, outbound: store.outbound, rejects: store.pushRejects },
          },
    api: {
      ...store,
      connections,
      deliver: (conversationId) => {
        signals.notify(conversationId);
        delivery.deliver({ conversationId, direction: "outbound" });
        delivery.deliver({ conversationId, direction: "inbound" });
      },
      publicUrl: () => config.publicUrl ?? address,
      now,
    },
    operations: { health: store.health, worker: () => !hasWorker || delivery.isRunning(), isStopping: () => isStopping },
  });

  return {
    get address() {
      return address;
    },
    adminKey,
    listen: async () => {
      await listen(server, config);
      unhear = await database.listen(LANES_CHANNEL, (payload) => {
        const lane = toLane(payload);
        if (lane === null) return;
        signals.notify(lane.conversationId);
        delivery.hear(lane);
      });
      address = toAddress(server.server.address() as AddressInfo);
      if (hasWorker) delivery.start();
      if (hasWorker) retention.start();
      logger.info({ address }, "gateway.started");
      return address;
    },
    close: async () => {
      isStopping = true;
      // One after the other, and whatever fails, the next: a stop that ends half-way would leave the folder locked.
      for (const step of [
        () => closeServer(server),
        () => unhear(),
        () => delivery.stop(STOP_GRACE_MS),
        retention.stop,
        http.close,
        database.close,
        unlock,
      ]) {
        await step().catch((error: unknown) => logger.error({ error }, "gateway.stop-failed"));
      }
      logger.info({}, "gateway.stopped");
    },
  };
}

async function listen(server: FastifyInstance, { host, port }: Config): Promise<void> {
  try {
    await server.listen({ host, port });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : cause;
    const remedy = "stop what uses it, or choose another WXDESK_HOST or WXDESK_PORT";
    throw new ConfigError("LISTENER_UNAVAILABLE", `cannot listen on ${host}:${port} (${code}); ${remedy}`, { cause });
  }
}

/**
 * Answers what is open. Closing only ends the connections that are idle at that moment: one that a client keeps after its last
 * answer, as every proxy does, would be waited for until its keep-alive ends.
 */
async function closeServer(server: FastifyInstance): Promise<void> {
  const idle = setInterval(() => server.server.closeIdleConnections(), IDLE_LOOK_MS);
  const cutOff = setTimeout(() => server.server.closeAllConnections(), CONNECTIONS_GRACE_MS);
  await server.close();
  clearInterval(idle);
  clearTimeout(cutOff);
}

interface OpenedDatabase {
  database: Database;
  unlock: () => Promise<void>;
}

async function open(config: Config, { database }: AppOptions): Promise<OpenedDatabase> {
  const nothing = async () => {};
  if (database !== undefined) return { database: await openDatabase(database), unlock: nothing };
  if (config.databaseUrl !== undefined)
    return { database: await openDatabase({ kind: "server", url: config.databaseUrl }), unlock: nothing };
  const unlock = await lockFolder(config.dataDir);
  try {
    return { database: await openDatabase({ kind: "embedded", folder: join(config.dataDir, "postgres") }), unlock };
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function readMasterKey({ masterKey, dataDir }: Config): Promise<{ masterKey: Buffer; isMasterKeyNew: boolean }> {
  if (masterKey !== undefined) return { masterKey, isMasterKeyNew: false };
  const { key, created } = await loadOrCreateMasterKey(dataDir);
  return { masterKey: key, isMasterKeyNew: created };
}

/** A wrong key shows at the start, not at the first message. */
async function proveMasterKey({ accounts }: Store): Promise<void> {
  const [first] = await accounts.list();
  if (first !== undefined) await accounts.getWithSecrets(first.id);
}

/** @returns the key when it was made just now */
async function ensureAdminKey(apiKeys: ApiKeyStore, given: string | undefined): Promise<string | null> {
  const hash = (key: string) => createHash("sha256").update(key).digest("hex");
  if (given !== undefined) {
    await apiKeys.replace({ id: "key_settings", name: "WXDESK_ADMIN_KEY", role: "admin", hash: hash(given) });
    return null;
  }
  if ((await apiKeys.countAdmins()) > 0) return null;
  const key = `wxk_${randomBytes(24).toString("base64url")}`;
  const isOurs = await apiKeys.create({ id: "key_first", name: "generated at the first start", role: "admin", hash: hash(key) });
  return isOurs ? key : null;
}

function toAddress({ address, family, port }: AddressInfo): string {
  return family === "IPv6" ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}

/** The same file seen from src and from dist. */
function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version?: string };
  if (version === undefined) throw new ConfigError("SETTINGS_INVALID", "package.json has no version; install the package again");
  return version;
}
