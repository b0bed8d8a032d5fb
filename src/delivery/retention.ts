import type { Log } from "../base/log.ts";
import type { RetentionStore } from "../domain/store.ts";

export interface RetentionOptions {
  retention: RetentionStore;
  days: number;
  log: Log;
}

export interface Retention {
  start(): void;
  stop(): Promise<void>;
}

const DAY_MS = 24 * 60 * 60_000;
const ROUND_MS = 60 * 60_000;
/** Small enough that a batch delays no other statement noticeably. */
const BATCH = 1_000;
/** Likewise: some tenths of a second. What is larger is done at the start of the process. */
const RECLAIMED_BYTES_MAX = 64 * 1024 * 1024;
const BETWEEN_BATCHES_MS = 100;

/**
 * Removes messages that are older than `days`, once an hour, in batches; with several processes, one of them at a time. Old values of
 * secrets whose overlap is over go with them. An embedded database then gets their room back.
 */
export function createRetention({ retention, days, log }: RetentionOptions): Retention {
  let timer: NodeJS.Timeout | undefined;
  let underWay = Promise.resolve();
  let isStopped = false;

  const round = async () => {
    const removed = await retention.removeOld(days * DAY_MS, BATCH);
    if (removed > 0) log.info({ removed, days }, "messages.removed");
    await retention.removeExpiredSecrets();
    if (removed < BATCH) await retention.reclaim(RECLAIMED_BYTES_MAX);
    plan(removed === BATCH ? BETWEEN_BATCHES_MS : ROUND_MS);
  };

  const plan = (ms: number) => {
    if (isStopped) return;
    timer = setTimeout(() => {
      underWay = round().catch((error: unknown) => {
        log.warn({ error }, "retention.failed");
        plan(ROUND_MS);
      });
    }, ms).unref();
  };

  return {
    start: () => plan(0),
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await underWay;
    },
  };
}
