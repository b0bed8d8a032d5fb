import { Agent, request } from "undici";
import { TransportError } from "../domain/errors.ts";
import { withTimeLimit } from "./time-limit.ts";

export interface HttpRequest {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  url: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** For the whole exchange, connecting included. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** An answer longer than this is an error. */
  bytesMax?: number;
}

export interface HttpAnswer {
  status: number;
  /** Lower-case names; a repeated header has its first value. */
  headers: Record<string, string>;
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

/** undici's errors that are raised before the first byte of a request leaves. */
const BEFORE_SENDING: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_INVALID_ARG",
  "ERR_INVALID_URL",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_HAS_EXPIRED",
]);

/** Keeps connections open per host. Addresses are never part of an error text: they can carry an access token. */
export function createHttpClient(): HttpClient {
  const agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, connections: 64, pipelining: 1 });
  return { exchange: (request) => exchange(agent, request), close: () => agent.close() };
}

async function exchange(
  agent: Agent,
  { method, url, headers, body, timeoutMs, signal, bytesMax = BYTES_MAX }: HttpRequest,
): Promise<HttpAnswer> {
  try {
    return await withTimeLimit(timeoutMs, signal, async (limited) => {
      const response = await request(url, {
        dispatcher: agent,
        method,
        headers: { "user-agent": "wxdesk", ...headers },
        body: body ?? null,
        signal: limited,
      });
      return { status: response.statusCode, headers: firstValues(response.headers), body: await readBounded(response.body, bytesMax) };
    });
  } catch (cause) {
    throw toTransportError(cause, URL.canParse(url) ? new URL(url).host : "an address that is none");
  }
}

export class TooLongError extends Error {
  override name = "TooLongError";
  constructor(bytesMax: number) {
    super(`answer is longer than ${bytesMax} bytes`);
  }
}

/** @throws TooLongError as soon as there is more, without keeping it */
export async function readBounded(chunks: AsyncIterable<Buffer>, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new TooLongError(bytesMax);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function firstValues(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? (value[0] ?? "") : (value ?? "")]);
  return Object.fromEntries(entries);
}

function toTransportError(cause: unknown, host: string): TransportError {
  const code = errorCode(cause);
  if (BEFORE_SENDING.has(code)) return new TransportError("CONNECT_FAILED", `no connection to ${host} (${code})`, { cause });
  return new TransportError("ANSWER_LOST", `no answer from ${host} (${code})`, { cause });
}

/** A word for what went wrong that quotes nothing of the request. */
export function errorCode(cause: unknown): string {
  if (!(cause instanceof Error)) return "UNKNOWN";
  if (cause.name === "TimeoutError") return "TIMEOUT";
  if ("code" in cause && typeof cause.code === "string") return cause.code;
  return cause.name;
}
