import { EventEmitter } from "node:events";

/**
 * Signals within this process: "something changed under this key". A lost signal costs latency, nothing else: a subscriber polls as well.
 */
export interface Signals<Change> {
  notify(key: string, change: Change): void;
  /** Whether this process has a subscriber for this key. */
  isAwaited(key: string): boolean;
  /** From now on no notification is missed until `close`. */
  subscribe(key: string): Subscription<Change>;
}

export interface Subscription<Change> {
  /** Resolves with the changes since the last call as soon as there are any, else with none after `timeoutMs` or `close`. Never rejects. */
  next(timeoutMs: number): Promise<readonly Change[]>;
  /** Idempotent. */
  close(): void;
}

export function createSignals<Change>(): Signals<Change> {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  return {
    notify: (key, change) => {
      emitter.emit(key, change);
    },
    isAwaited: (key) => emitter.listenerCount(key) > 0,
    subscribe: (key) => subscribe(emitter, key),
  };
}

function subscribe<Change>(emitter: EventEmitter, key: string): Subscription<Change> {
  let changes: Change[] = [];
  let isClosed = false;
  let wake = () => {};
  const onNotify = (change: Change) => {
    changes.push(change);
    wake();
  };
  const take = () => {
    const taken = changes;
    changes = [];
    return taken;
  };
  emitter.on(key, onNotify);
  return {
    next: async (timeoutMs) => {
      if (changes.length === 0 && !isClosed) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      return take();
    },
    close: () => {
      isClosed = true;
      emitter.off(key, onNotify);
      wake();
    },
  };
}
