import { Worker } from "node:worker_threads";

const [REQUESTED, RESET] = [0, 1];

/**
 * A caller in a thread of its own, which resets its connection while this thread stands still: what this thread writes afterwards fails,
 * although it has read nothing of the reset yet.
 */
export interface ResettingCaller {
  /** Called by the server just before it writes its response: returns when the reset is in the operating system. */
  reset(): void;
  ended: Promise<void>;
}

export function callAndReset({ hostname, port, pathname, search }: URL): ResettingCaller {
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const head = `POST ${pathname}${search} HTTP/1.1\\r\\nhost: gateway\\r\\ncontent-length: 0\\r\\n\\r\\n`;
  const worker = new Worker(
    `const { workerData: flags } = require("node:worker_threads");
     const socket = require("node:net").connect(${port}, "${hostname}", () => {
       socket.write("${head}", () => {
         Atomics.wait(flags, ${REQUESTED}, 0);
         socket.resetAndDestroy();
       });
     });
     socket.on("error", () => {});
     socket.on("close", () => {
       Atomics.store(flags, ${RESET}, 1);
       Atomics.notify(flags, ${RESET});
     });`,
    { eval: true, workerData: flags },
  );
  return {
    reset: () => {
      Atomics.store(flags, REQUESTED, 1);
      Atomics.notify(flags, REQUESTED);
      Atomics.wait(flags, RESET, 0);
    },
    ended: new Promise((resolve) => worker.once("exit", () => resolve())),
  };
}
