import type { Log } from "../base/log.ts";
import type { WorkerQueues } from "../domain/store.ts";

export interface HeartbeatOptions {
  queues: Pick<WorkerQueues, "beat" | "freeClaims">;
  holder: string;
  leaseMs: number;
  log: Log;
  /** Claims of a dead process were made due. */
  onFreed: () => void;
}

/** Says that this process lives, so that its claims in memory stay its own, and frees those of processes that have died. */
export interface Heartbeat {
  start(): void;
  /** False when the other processes may take this one for dead: then a claim in memory may have passed to another holder. */
  isFresh(): boolean;
  stop(): Promise<void>;
}

const BEAT_MS = 500;
/** By the database's clock for the others; by its monotonic clock, from the beginning of the last heartbeat, for the process itself. */
const DEAD_AFTER_MS = 1_500;
/** A dead process is freed again while its row is kept: a statement of it may still have been under way. */
const FREE_AGAIN_MS = 10_000;

/**
 * A process is taken for dead when two heartbeats of this one in a row find it too old. After a pause of this process's own, such as a
 * database that was away, all rows are old, and the count begins anew.
 */
export function createHeartbeat({ queues, holder, leaseMs, log, onFreed }: HeartbeatOptions): Heartbeat {
  let beatAtMs = Number.NEGATIVE_INFINITY;
  let suspects = new Set<string>();
  const freedAtMs = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let underWay = Promise.resolve();
  let freeing: Promise<void> | null = null;
  let isStopped = true;

  const beat = async () => {
    const startedAtMs = performance.now();
    const hasPaused = startedAtMs - beatAtMs > DEAD_AFTER_MS + BEAT_MS;
    const silent = await queues.beat(holder, DEAD_AFTER_MS);
    beatAtMs = startedAtMs;
    const dead = silent.filter(
      (other) => !hasPaused && suspects.has(other) && startedAtMs - (freedAtMs.get(other) ?? -FREE_AGAIN_MS) >= FREE_AGAIN_MS,
    );
    suspects = new Set(silent);
    for (const other of freedAtMs.keys()) if (!suspects.has(other)) freedAtMs.delete(other);
    if (dead.length > 0) freeing ??= free(dead).finally(() => (freeing = null));
  };

  /** Beside the heartbeats: a search of a large table must not end them. */
  const free = async (dead: readonly string[]) => {
    try {
      await queues.freeClaims(dead, leaseMs);
      for (const other of dead) freedAtMs.set(other, performance.now());
      onFreed();
    } catch (error) {
      log.debug({ error }, "heartbeat.not-freed");
    }
  };

  const plan = () => {
    if (isStopped) return;
    timer = setTimeout(() => {
      underWay = beat()
        .catch((error: unknown) => log.debug({ error }, "heartbeat.failed"))
        .finally(plan);
    }, BEAT_MS);
  };

  return {
    start: () => {
      isStopped = false;
      underWay = beat()
        .catch((error: unknown) => log.debug({ error }, "heartbeat.failed"))
        .finally(plan);
    },
    isFresh: () => performance.now() - beatAtMs < DEAD_AFTER_MS,
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await underWay;
      await freeing;
    },
  };
}
