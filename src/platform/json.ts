import { TransportError } from "../base/errors.ts";
import type { HttpClient } from "../base/http-client.ts";
import { type MultipartFile, toMultipart } from "../base/multipart.ts";
import { type PlatformAnswer, readPlatformAnswer, toTransportOutcome } from "./answer.ts";

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
    return readPlatformAnswer(answer, now());
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
