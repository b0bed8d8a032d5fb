import { Agent, type Dispatcher } from "undici";
import { decompress } from "./decompress.ts";
import { TransportError } from "./errors.ts";
import { TooLongError } from "./read-bounded.ts";

export interface HttpRequest {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  url: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** For the whole exchange, connecting included. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** An answer longer than this is an error, compressed or decompressed. */
  bytesMax?: number;
}

export interface HttpAnswer {
  status: number;
  /** As they came, those of a compressed body included. Lower-case names; a repeated header has its first value. */
  headers: Record<string, string>;
  /** Decompressed. */
  body: Buffer;
}

export interface HttpClient {
  /**
   * One request, no redirects, no retries.
   * @throws TransportError CONNECT_FAILED when no byte can have left, ANSWER_LOST when the other side may have taken it
   */
  exchange(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

const BYTES_MAX = 1024 * 1024;
const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Keeps connections open per host, as many as are needed at once: with a limit, requests to a host that several accounts share would
 * wait for those to the slow desk of one. The worker's slots and the callers bound them. Addresses are never part of an error text:
 * they can carry an access token.
 */
export function createHttpClient(): HttpClient {
  const agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, pipelining: 1 });
  return { exchange: (request) => exchange(agent, request), close: () => agent.close() };
}

async function exchange(agent: Agent, request: HttpRequest): Promise<HttpAnswer> {
  let hasBegun = false;
  const begin = () => {
    hasBegun = true;
  };
  try {
    const answer = await dispatch(agent, request, begin);
    const body = await decompress(answer.body, answer.headers["content-encoding"], request.bytesMax ?? BYTES_MAX);
    return { ...answer, body };
  } catch (cause) {
    throw toTransportError(cause, hasBegun, URL.canParse(request.url) ? new URL(request.url).host : "an address that is none");
  }
}

/**
 * By undici's `dispatch`, which hands an answer over in a few calls: its `request` makes a stream of each, and that costs more than all
 * the rest of the exchange. `begin` is called right before the first byte leaves; what is stopped before does not leave any more.
 *
 * The time limit is a plain timer: an `AbortController` for each exchange, as in time-limit.ts, was 3 % of the gateway's time.
 */
function dispatch(agent: Agent, request: HttpRequest, begin: () => void): Promise<HttpAnswer> {
  const { method, url, headers, body = null, timeoutMs, signal, bytesMax = BYTES_MAX } = request;
  const { origin, pathname, search } = new URL(url);
  return new Promise<HttpAnswer>((resolve, reject) => {
    const answer = { status: 0, headers: {} };
    const chunks: Buffer[] = [];
    let bytes = 0;
    let stopped: Error | null = null;
    let controller: Dispatcher.DispatchController | null = null;
    const stop = (reason: unknown) => {
      stopped = toError(reason);
      fail(stopped);
      controller?.abort(stopped);
    };
    const stopWithCaller = () => stop(signal?.reason);
    const timer = setTimeout(() => stop(new DOMException(`not done within ${timeoutMs} ms`, "TimeoutError")), timeoutMs);
    // A signal that lives as long as the process must keep nothing of an exchange that is over.
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stopWithCaller);
    };
    const fail = (error: Error) => {
      end();
      reject(error);
    };
    if (signal?.aborted) return fail(toError(signal.reason));
    signal?.addEventListener("abort", stopWithCaller, { once: true });
    agent.dispatch(
      { origin, path: pathname + search, method, headers: { "user-agent": "wxdesk", ...headers }, body },
      {
        onRequestStart: (started) => {
          if (stopped !== null) return started.abort(stopped);
          controller = started;
          begin();
        },
        onResponseStart: (_controller, status, received) => {
          Object.assign(answer, { status, headers: firstValues(received) });
        },
        onResponseData: (running, chunk) => {
          bytes += chunk.length;
          if (bytes > bytesMax) running.abort(new TooLongError(bytesMax));
          else chunks.push(chunk);
        },
        onResponseEnd: () => {
          end();
          resolve({ ...answer, body: Buffer.concat(chunks) });
        },
        onResponseError: (_controller, error) => fail(error),
      },
    );
  });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException("stopped", "AbortError");
}

function firstValues(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? (value[0] ?? "") : (value ?? "")]);
  return Object.fromEntries(entries);
}

function toTransportError(cause: unknown, hasBegun: boolean, host: string): TransportError {
  const code = errorCode(cause);
  return hasBegun
    ? new TransportError("ANSWER_LOST", `no answer from ${host} (${code})`, { cause })
    : new TransportError("CONNECT_FAILED", `no connection to ${host} (${code})`, { cause });
}

/** A word for what went wrong that quotes nothing of the request. */
export function errorCode(cause: unknown): string {
  if (!(cause instanceof Error)) return "UNKNOWN";
  if (cause.name === "TimeoutError") return "TIMEOUT";
  if ("code" in cause && typeof cause.code === "string") return cause.code;
  return cause.name;
}
