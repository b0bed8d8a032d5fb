import { z } from "zod";
import { TransportError } from "../domain/errors.ts";
import type { Outcome } from "../domain/outcome.ts";
import { readClockOffsetMs } from "./clock-offset.ts";
import type { HttpAnswer, HttpClient } from "./http-client.ts";
import { type MultipartFile, toMultipart } from "./multipart.ts";

export interface PlatformCall {
  method: "GET" | "POST";
  baseUrl: string;
  path: string;
  query: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as a form, in place of a body. */
  file?: MultipartFile;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export type RetryOutcome = Extract<Outcome, { kind: "retry" }>;
type Failure = Exclude<Outcome, { kind: "done" }>;

/** The platform's verdict (errcode "0" is success) with the answer's other fields, or how a call without a verdict ended. */
export type PlatformAnswer =
  | { kind: "verdict"; errcode: string; errmsg: string; fields: Record<string, unknown>; clockOffsetMs: number | null }
  | { kind: "none"; outcome: Failure };

/** One call of a WeChat platform's JSON interface. Whatever network and platform do is an answer; only a fault of ours throws. */
export async function callPlatform(http: HttpClient, call: PlatformCall, now: () => Date): Promise<PlatformAnswer> {
  const { method, baseUrl, path, query, timeoutMs, signal } = call;
  const url = `${baseUrl.replace(/\/+$/, "")}${path}?${new URLSearchParams(query)}`;
  try {
    const answer = await http.exchange({
      method,
      url,
      ...toPayload(call),
      timeoutMs,
      ...(signal && { signal }),
    });
    return isSuccess(answer.status) ? readVerdict(answer, now()) : { kind: "none", outcome: toHttpOutcome(answer, now()) };
  } catch (error) {
    if (error instanceof TransportError) return { kind: "none", outcome: toTransportOutcome(error) };
    throw error;
  }
}

function toPayload({ body, file }: PlatformCall): { headers?: Record<string, string>; body?: string | Buffer } {
  if (file !== undefined) {
    const form = toMultipart(file);
    return { headers: { "content-type": form.contentType }, body: form.body };
  }
  if (body === undefined) return {};
  return { headers: { "content-type": "application/json; charset=utf-8" }, body: toPlatformJson(body) };
}

/**
 * JSON without any \uXXXX, which the platforms refuse (40033) or show to the customer as it stands. JSON.stringify writes it for
 * lone surrogates, replaced here, and for control characters, left out here: nothing of either can be seen in a chat.
 */
function toPlatformJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "string" ? part.replace(LONE_SURROGATE, "\ufffd").replace(UNPRINTABLE, "") : part,
  );
}

const LONE_SURROGATE = /\p{Surrogate}/gu;
// Those that JSON writes with a letter of their own (\b \t \n \f \r) may stay.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNPRINTABLE = /[\u0000-\u0007\u000b\u000e-\u001f]/g;

function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

const verdictSchema = z.looseObject({
  errcode: z
    .union([z.int(), z.string().regex(/^-?\d+$/)])
    .default(0)
    .transform(String),
  errmsg: z.string().catch(""),
});

function readVerdict(answer: HttpAnswer, now: Date): PlatformAnswer {
  const read = verdictSchema.safeParse(parseJson(answer.body));
  if (read.success) {
    const { errcode, errmsg, ...fields } = read.data;
    return { kind: "verdict", errcode, errmsg, fields, clockOffsetMs: readClockOffsetMs(answer, now) };
  }
  const detail = "WeChat's answer is not its JSON, so whether it did the work is unknown; is there a proxy in between?";
  return { kind: "none", outcome: { kind: "uncertain", code: "WECHAT_ANSWER_UNREADABLE", detail } };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Errors of the platform come with status 200, so another status is a server or a proxy on the way. 4xx, 500 and 503 refuse to do
 * the work. 502 and 504 say that the server behind did not answer, as do the unnumbered ones of content networks (520–524): there
 * the message may have been taken.
 */
function toHttpOutcome({ status, headers }: HttpAnswer, now: Date): Failure {
  const code = `WECHAT_HTTP_${status}`;
  if (status > 500 && status !== 503) {
    return { kind: "uncertain", code, detail: `WeChat's gateway answered HTTP ${status}; whether WeChat did the work is unknown` };
  }
  const retryAfterMs = readRetryAfterMs(headers["retry-after"], now);
  const detail = `WeChat answered HTTP ${status} and did nothing; if this lasts, check the account's apiBaseUrl and any proxy`;
  return { kind: "retry", code, detail, ...(retryAfterMs !== null && { retryAfterMs }) };
}

/** Retry-After is either seconds or a date. */
function readRetryAfterMs(value: string | undefined, now: Date): number | null {
  if (value === undefined) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now.getTime();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

function toTransportOutcome({ code, message }: TransportError): Failure {
  if (code === "CONNECT_FAILED") {
    const detail = `${message}; nothing was sent. Check the network and the account's apiBaseUrl`;
    return { kind: "retry", code: "WECHAT_UNREACHABLE", detail };
  }
  return { kind: "uncertain", code: "WECHAT_ANSWER_LOST", detail: `${message}; whether WeChat did the work is unknown` };
}
