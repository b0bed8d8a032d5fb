import { EventEmitter } from "node:events";
import type { Signals, Subscription } from "../domain/signals.ts";

/** Signals within this process. */
export function createSignals(): Signals {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  return {
    notify: (conversationId) => {
      emitter.emit(conversationId);
    },
    isAwaited: (conversationId) => emitter.listenerCount(conversationId) > 0,
    subscribe: (conversationId) => subscribe(emitter, conversationId),
  };
}

function subscribe(emitter: EventEmitter, conversationId: string): Subscription {
  let isNotified = false;
  let wake = () => {};
  const onNotify = () => {
    isNotified = true;
    wake();
  };
  emitter.on(conversationId, onNotify);
  return {
    next: (timeoutMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => wake(), isNotified ? 0 : timeoutMs);
        wake = () => {
          clearTimeout(timer);
          isNotified = false;
          wake = () => {};
          resolve();
        };
      }),
    close: () => {
      emitter.off(conversationId, onNotify);
      wake();
    },
  };
}
