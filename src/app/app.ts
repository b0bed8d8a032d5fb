import { before } from "../base/before.ts";
import { createHttpClient } from "../base/http-client.ts";
import { createLogger, type LoggerOptions } from "../base/logger.ts";
import { createSignals } from "../base/signals.ts";
import type { Config } from "../config.ts";
import { summarize } from "../config.ts";
import { createDelivery } from "../delivery/delivery.ts";
import { createRetention } from "../delivery/retention.ts";
import { createCircuitBreaker } from "../domain/circuit-breaker.ts";
import { createLastFault } from "../domain/last-fault.ts";
import { type Change, SOMETHING } from "../domain/signals.ts";
import { WORKER_LEASE_MS } from "../flow/deadlines.ts";
import { forward } from "../flow/forward.ts";
import { relay } from "../flow/relay.ts";
import { closeServer, countRequests, listen, toLoopback, toPlannedAddress } from "../http/listener.ts";
import { createHttpServer } from "../http/server.ts";
import { removeLocalApi, writeLocalApi } from "../keys/local-api-file.ts";
import { createMediaFetcher } from "../media/fetcher.ts";
import { createAccessTokens } from "../platform/access-tokens.ts";
import type { DatabaseAddress } from "../store/database/database.ts";
import { toDatabaseFault } from "../store/database/to-database-fault.ts";
import { QUEUES_CHANNEL, toQueue } from "../store/queue/announce.ts";
import { VERSION } from "../version.ts";
import { createConnections } from "./connections.ts";
import { createKeyGate } from "./key-gate.ts";
import { createLoad } from "./load.ts";
import { withLocalKey } from "./local-key.ts";
import { openStore } from "./open-store.ts";

export interface App {
  /** `http://host:port`, known once it listens. */
  readonly address: string;
  /** The first admin key when `listen` or `admit` generated it; it is shown nowhere else. */
  readonly adminKey: string | null;
  /**
   * Listens and works, then admits. One that fails closes the app, and leaves no key and no file behind.
   * @throws ConfigError LISTENER_UNAVAILABLE
   */
  listen(): Promise<string>;
  /** Ensures that an admin key exists. The last step of a start without a listener. Idempotent. */
  admit(): Promise<void>;
  /** One request to the API without a network, for the command line: who has database and master key may do everything. */
  request(method: ApiMethod, path: string, body?: unknown): Promise<{ status: number; body: string }>;
  /** Finishes what is open, gives back what is claimed. Within ten seconds. */
  close(): Promise<void>;
}

export type ApiMethod = "GET" | "POST" | "PATCH" | "DELETE";

/** Settings that only tests, the demo and the command line change. */
export interface AppOptions {
  database?: DatabaseAddress;
  pauseMs?: (failures: number) => number;
  pollMs?: number;
  breakerPauseMs?: number;
  leaseMs?: number;
  /** After which time a push, or a callback, that is not stored is refused. */
  pushAnswerMs?: number;
  callbackStoreMs?: number;
  /** How long `/readyz` says that a stop has begun before nothing is taken any more. */
  stopNoticeMs?: number;
  /** Where the log goes, instead of standard output. */
  logTo?: LoggerOptions["destination"];
}

const STOP_GRACE_MS = 4_000;
/** A proxy that looks once a second has noticed by then. */
const STOP_NOTICE_MS = 1_000;
/** Of the ten seconds that a stop may take, and what is left of them for one that only says goodbye. */
const STOP_MS_MAX = 9_000;
const GOODBYE_MS_MAX = 500;
/** For settling what was cut off and giving back every claim. */
const GIVE_BACK_MS = 1_500;

/**
 * Puts everything together. Opens and migrates the database, but does not listen yet.
 * @throws ConfigError when something is set up wrongly; the text says what to change
 */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  const logger = createLogger({ level: config.logLevel, content: config.logContent, destination: options.logTo, explain: toDatabaseFault });
  logger.info(summarize(config), "gateway.starting");
  const { store, database, folder, admit, unlock, discard } = await openStore(config, options.database, logger);
  const keyGate = createKeyGate(admit);
  const local = withLocalKey(keyGate.guard(store.apiKeys));

  const now = () => new Date();
  const signals = createSignals<Change>();
  const http = createHttpClient();
  const media = createMediaFetcher(config.mediaAllowNetworks);
  const tokens = createAccessTokens({ store: store.accessTokens, now, log: logger });
  const connections = createConnections({ accounts: store.accounts, http, tokens, media, now });
  const leaseMs = options.leaseMs ?? WORKER_LEASE_MS;
  const retry = { now, ...(options.pauseMs && { pauseMs: options.pauseMs }) };
  const breaker = createCircuitBreaker(options.breakerPauseMs);
  const load = createLoad({ openCallbacksMax: config.openCallbacksMax });
  const lastFault = createLastFault(toDatabaseFault);
  const delivery = createDelivery({
    queues: store.queues,
    signals,
    log: logger,
    leaseMs,
    awayDesks: breaker.openKeys,
    isPressed: load.isPressed,
    ...(options.pollMs && { pollMs: options.pollMs }),
    steps: {
      inbound: (claim, queued, signal) => forward(claim, queued, { ...retry, connections, accounts: store.accounts, breaker }, signal),
      outbound: (claim, queued, signal) => relay(claim, queued, { ...retry, ...store, connections, leaseMs }, signal),
    },
  });

  const retention = createRetention({ retention: store.retention, days: config.retentionDays, log: logger });

  let isStopping = false;
  let address = "";
  let unhear = async () => {};
  const hasWorker = config.role !== "http";
  const shared = { connections, signals, deliver: delivery.deliver, reserve: delivery.reserve, now, log: logger };
  const server = await createHttpServer({
    logger,
    version: VERSION,
    surfaces:
      config.role === "worker"
        ? null
        : {
            callbacks: {
              ...shared,
              ...load.callbacks,
              connections: { ...connections, get: load.lookups.counted(connections.get) },
              isStopping: () => isStopping,
              isPressed: load.isPressed,
              accounts: store.accounts,
              inbound: { record: load.inbound.counted(lastFault.watched(store.inbound.record)) },
              queues: store.queues,
              ...(options.callbackStoreMs && { storeMsMax: options.callbackStoreMs }),
            },
            push: {
              ...shared,
              ...load.pushes,
              connections: { ...connections, get: load.lookups.counted(connections.get) },
              toDatabaseFault,
              outbound: { ...store.outbound, enqueue: load.outbound.counted(lastFault.watched(store.outbound.enqueue)) },
              rejects: store.pushRejects,
              ...(options.pushAnswerMs && { answerMsMax: options.pushAnswerMs }),
              partsMax: config.pushPartsMax,
            },
          },
    api: {
      ...store,
      apiKeys: local.apiKeys,
      connections,
      toDatabaseFault,
      http,
      deliver: ({ conversationId, accountId }) => {
        signals.notify(conversationId, SOMETHING);
        delivery.deliver({ conversationId, accountId, direction: "outbound" });
        delivery.deliver({ conversationId, accountId, direction: "inbound" });
      },
      partsMax: config.pushPartsMax,
      publicUrl: () => config.publicUrl ?? (address || toPlannedAddress(config)),
      now,
    },
    operations: {
      health: store.health,
      toDatabaseFault,
      lastFault,
      worker: () => !hasWorker || delivery.isRunning(),
      isStopping: () => isStopping,
    },
  });

  const openRequests = countRequests(server);

  const start = async (): Promise<string> => {
    address = await listen(server, config);
    unhear = await database.listen(QUEUES_CHANNEL, (payload) => {
      const queue = toQueue(payload);
      if (queue === null) return;
      signals.notify(queue.conversationId, SOMETHING);
      delivery.hear(queue);
    });
    if (folder !== null) await writeLocalApi(folder, { address: toLoopback(address), key: local.key });
    // Everything that can fail comes before.
    await keyGate.open();
    if (hasWorker) delivery.start();
    if (hasWorker) retention.start();
    logger.info({ address }, "gateway.started");
    if (!hasWorker && folder !== null) {
      const remedy = "set WXDESK_ROLE to all, or DATABASE_URL to a server that a worker shares";
      logger.warn({ remedy }, "gateway.no-worker: nothing is forwarded, for no other process can open the embedded database");
    }
    return address;
  };

  const close = async (): Promise<void> => {
    isStopping = true;
    const stopBy = Date.now() + STOP_MS_MAX;
    // The steps run in order, and the next one runs even when a step fails or hangs: a stop that ends half-way would leave the folder
    // locked, and a stalled database never closes its connections.
    const steps: [maxMs: number, step: () => Promise<void>][] = [
      [STOP_MS_MAX, () => closeServer(server, openRequests, address === "" ? 0 : (options.stopNoticeMs ?? STOP_NOTICE_MS))],
      [GOODBYE_MS_MAX, () => unhear()],
      // Connections may have taken their whole time: the claims have to be given back before the database is closed.
      [STOP_GRACE_MS + GIVE_BACK_MS, () => delivery.stop(Math.min(STOP_GRACE_MS, stopBy - Date.now() - GIVE_BACK_MS))],
      [GOODBYE_MS_MAX, async () => (folder === null ? undefined : removeLocalApi(folder))],
      [GOODBYE_MS_MAX, retention.stop],
      [GOODBYE_MS_MAX, http.close],
      [GOODBYE_MS_MAX, media.close],
      [GOODBYE_MS_MAX, async () => load.stop()],
      [STOP_MS_MAX, database.close],
      // A start that did not come to its end leaves nothing behind.
      [STOP_MS_MAX, keyGate.isOpen() ? unlock : discard],
    ];
    for (const [maxMs, step] of steps) {
      const until = new Date(Math.min(stopBy, Date.now() + maxMs));
      await before(until, now, step()).catch((error: unknown) => logger.error({ error }, "gateway.stop-failed"));
    }
    logger.info({}, "gateway.stopped");
  };

  return {
    get address() {
      return address;
    },
    get adminKey() {
      return keyGate.adminKey;
    },
    admit: keyGate.open,
    listen: async () => {
      try {
        return await start();
      } catch (error) {
        await close();
        throw error;
      }
    },
    request: async (method, path, body) => {
      await keyGate.open();
      const { statusCode, payload } = await server.inject({
        method,
        url: `/api/v1${path}`,
        headers: { authorization: `Bearer ${local.key}`, ...(body !== undefined && { "content-type": "application/json" }) },
        ...(body !== undefined && { payload: JSON.stringify(body) }),
      });
      return { status: statusCode, body: payload };
    },
    close,
  };
}
