import { connect, type Socket } from "node:net";

/**
 * One HTTP connection that carries one request at a time, with as little work as can be: the load must not be what is measured.
 */
export interface Line {
  /** Resolves with the status of the answer, 0 when the connection broke. */
  send(request: Buffer): Promise<number>;
  close(): void;
}

export function openLine(address: string): Line {
  const { hostname, port } = new URL(address);
  let socket: Socket | null = null;
  let received: Buffer | null = null;
  let done: ((status: number) => void) | null = null;

  const finish = (status: number) => {
    const finished = done;
    done = null;
    received = null;
    finished?.(status);
  };
  const open = (): Socket => {
    const opened = connect({ host: hostname, port: Number(port), noDelay: true });
    opened.on("data", (chunk) => {
      received = received === null ? chunk : Buffer.concat([received, chunk]);
      const status = readAnswer(received);
      if (status !== null) finish(status);
    });
    opened.on("error", () => {});
    opened.on("close", () => {
      if (socket === opened) socket = null;
      finish(0);
    });
    return opened;
  };

  return {
    send: (request) =>
      new Promise((resolve) => {
        done = resolve;
        socket ??= open();
        socket.write(request);
      }),
    close: () => socket?.destroy(),
  };
}

/** The status of a complete answer; null while more has to come. Knows a length, chunks, and nothing else. */
export function readAnswer(bytes: Buffer): number | null {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const head = bytes.toString("latin1", 0, headEnd).toLowerCase();
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
  const bodyBytes = bytes.length - headEnd - 4;
  const isComplete = length === undefined ? bytes.subarray(-5).toString("latin1") === "0\r\n\r\n" : bodyBytes >= Number(length);
  return isComplete ? Number(head.slice(9, 12)) : null;
}
