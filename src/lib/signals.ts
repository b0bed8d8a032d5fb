import { EventEmitter } from "node:events";
import type { Change, Signals, Subscription } from "../domain/signals.ts";

/** Signals within this process. */
export function createSignals(): Signals {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  return {
    notify: (conversationId, change = { kind: "something" }) => {
      emitter.emit(conversationId, change);
    },
    isAwaited: (conversationId) => emitter.listenerCount(conversationId) > 0,
    subscribe: (conversationId) => subscribe(emitter, conversationId),
  };
}

function subscribe(emitter: EventEmitter, conversationId: string): Subscription {
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
  emitter.on(conversationId, onNotify);
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
      emitter.off(conversationId, onNotify);
      wake();
    },
  };
}
