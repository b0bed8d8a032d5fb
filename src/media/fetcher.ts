import { Agent, type Dispatcher, request } from "undici";
import { decompress } from "../base/decompress.ts";
import { createGate, type Gate } from "../base/gate.ts";
import { errorCode } from "../base/http-client.ts";
import { readBounded, TooLongError } from "../base/read-bounded.ts";
import { withTimeLimit } from "../base/time-limit.ts";
import { AddressRefusedError, createGuardedConnector, type ResolveAll } from "./guarded-connect.ts";
import { createAddressCheck } from "./public-address.ts";

export interface MediaRequest {
  url: string;
  bytesMax: number;
  /** For everything: connecting, redirects, the last byte. */
  timeoutMs: number;
  signal: AbortSignal;
}

export type MediaFailureCode =
  /** Nobody outside may have us call it. */
  | "MEDIA_ADDRESS_REFUSED"
  | "MEDIA_TOO_LARGE"
  /** Its server says that it is not there for us. */
  | "MEDIA_MISSING"
  /** No answer, or a fault of its server: worth another try. */
  | "MEDIA_UNREACHABLE";

export interface MediaFailure {
  code: MediaFailureCode;
  detail: string;
}

export interface FetchedMedia {
  bytes: Buffer;
  /** Where they were in the end, after redirects. */
  url: string;
  /** The headers that say what it is, as they came: one character per byte. */
  disposition?: string | undefined;
  contentType?: string | undefined;
}

/** Fetches files from addresses that somebody else chose. What network and server do is an answer; nothing of it throws. */
export interface MediaFetcher {
  fetch(request: MediaRequest): Promise<FetchedMedia | MediaFailure>;
  /** To be entered, with the account's id, for as long as the bytes are held: a file may have 20 MB. */
  readonly gate: Gate;
  close(): Promise<void>;
}

/** Files in memory: four of one account, eight of all, and one of each further account. */
const AT_ONCE = { eachMax: 4, totalMax: 8 };
const CONNECT_TIMEOUT_MS = 3_000;
const REDIRECTS_MAX = 3;
const HEADER_BYTES_MAX = 16 * 1024;

/** `resolve` is the system's name lookup unless a test has another. */
export function createMediaFetcher(allowedNetworks: readonly string[], resolve?: ResolveAll): MediaFetcher {
  const mayCall = createAddressCheck(allowedNetworks);
  const connect = createGuardedConnector(mayCall, { timeoutMs: CONNECT_TIMEOUT_MS, ...(resolve && { resolve }) });
  // No connection is kept: each hop of each fetch is checked anew.
  const agent = new Agent({ connect, pipelining: 0, maxHeaderSize: HEADER_BYTES_MAX });
  return {
    gate: createGate(AT_ONCE),
    fetch: ({ url, bytesMax, timeoutMs, signal }) =>
      withTimeLimit(timeoutMs, signal, (limited) => follow(agent, url, bytesMax, limited)).catch((error: unknown) =>
        toFailure(error, url, bytesMax),
      ),
    close: () => agent.close(),
  };
}

async function follow(agent: Agent, url: string, bytesMax: number, signal: AbortSignal): Promise<FetchedMedia | MediaFailure> {
  let current = url;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const address = toCallable(current);
    if (address === null) return refused("is not a plain http or https address, or carries a user or password");
    const response = await request(address, { dispatcher: agent, headers: { "user-agent": "wxdesk", accept: "*/*" }, signal });
    const { location } = response.headers;
    if (!isRedirect(response.statusCode) || typeof location !== "string") return read(response, current, bytesMax);
    discard(response);
    current = URL.canParse(location, current) ? new URL(location, current).href : location;
  }
  return { code: "MEDIA_MISSING", detail: `${hostOf(url)} redirects more than ${REDIRECTS_MAX} times` };
}

function toCallable(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isHttp = url.protocol === "http:" || url.protocol === "https:";
  return isHttp && url.username === "" && url.password === "" ? url : null;
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

async function read(response: Dispatcher.ResponseData, url: string, bytesMax: number): Promise<FetchedMedia | MediaFailure> {
  const { statusCode: status, headers } = response;
  if (status === 200 && Number(headers["content-length"] ?? 0) <= bytesMax) {
    const bytes = await decompress(await readBounded(response.body, bytesMax), toCoding(headers), bytesMax);
    return { bytes, url, disposition: first(headers["content-disposition"]), contentType: first(headers["content-type"]) };
  }
  discard(response);
  if (status === 200) throw new TooLongError(bytesMax);
  const code = WORTH_ANOTHER_TRY.has(status) || status >= 500 ? "MEDIA_UNREACHABLE" : "MEDIA_MISSING";
  return { code, detail: `${hostOf(url)} answered HTTP ${status}` };
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Some servers label an archive by its coding as well; it stays the archive that it is. */
function toCoding({ "content-encoding": coding, "content-type": type }: Dispatcher.ResponseData["headers"]): string | undefined {
  return /\bg(un)?zip|\btgz/i.test(String(type)) ? undefined : [coding ?? []].flat().join();
}

/** Not ready, asked too often. */
const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([408, 425, 429]);

/** Ends the connection instead of reading what nobody wants. */
function discard({ body }: Dispatcher.ResponseData): void {
  body.on("error", () => {}).destroy();
}

/** Hosts only: the rest of a media address is often what gives access to it. */
function toFailure(error: unknown, url: string, bytesMax: number): MediaFailure {
  const host = hostOf(url);
  if (error instanceof AddressRefusedError) return refused(`(${host}) leads to ${error.address}, which is not public`);
  if (error instanceof TooLongError) return { code: "MEDIA_TOO_LARGE", detail: `${host} sends more than ${bytesMax} bytes` };
  return { code: "MEDIA_UNREACHABLE", detail: `no answer from ${host} (${errorCode(error)})` };
}

function refused(reason: string): MediaFailure {
  const remedy = "if the desk's media are there, list the network in WXDESK_MEDIA_ALLOW_NETWORKS";
  return { code: "MEDIA_ADDRESS_REFUSED", detail: `the media's address ${reason}; ${remedy}` };
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "an address that is none";
}
