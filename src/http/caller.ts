import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * Whether the caller has closed its connection. A process that stood still finds requests in its sockets whose callers have given up
 * and asked elsewhere: each request is read before the close that lies behind it, which the event loop reads one turn later.
 */
export async function hasCallerGone({ socket }: IncomingMessage): Promise<boolean> {
  await nextTurn();
  await nextTurn();
  return isClosed(socket);
}

/** A caller that has only stopped sending (a half-open connection) counts as gone too: Node answers none of those. */
function isClosed({ destroyed, readableEnded, writableEnded }: IncomingMessage["socket"]): boolean {
  return destroyed || readableEnded || writableEnded;
}

/** Aborted when the connection closes before the response has left. */
export function toGoneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.once("close", () => response.writableFinished || gone.abort());
  return gone.signal;
}

/**
 * Says how a response ended: `sent` when the operating system has every byte of it, `lost` when the connection closed before. After `sent`
 * comes a `lost` that counts for nothing.
 *
 * Node's "finish" alone does not tell: it comes also when the write of the last bytes failed, such as after a reset that the event loop has
 * not read yet, or when the server dropped the connection with bytes still in it.
 */
export function watchResponse(response: ServerResponse, { sent, lost }: { sent: () => void; lost: () => void }): void {
  // The response lets go of its socket when it ends.
  const { socket } = response;
  response.once("finish", () => {
    if (socket === null || socket.destroyed || socket.errored) lost();
    else sent();
  });
  response.once("close", lost);
}
