import { EventEmitter } from "node:events";
import type { Signals } from "../domain/signals.ts";

/** Signals within this process. */
export function createSignals(): Signals {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  return {
    notify: (conversationId) => {
      emitter.emit(conversationId);
    },
    wait: (conversationId, timeoutMs) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          emitter.off(conversationId, done);
          resolve();
        };
        const timer = setTimeout(done, timeoutMs);
        emitter.once(conversationId, done);
      }),
  };
}
