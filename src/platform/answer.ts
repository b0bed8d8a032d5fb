import { z } from "zod";
import { readClockOffsetMs } from "../base/clock-offset.ts";
import type { TransportError } from "../base/errors.ts";
import type { HttpAnswer } from "../base/http-client.ts";
import { decodeText, readJson } from "../base/read-json.ts";
import { readRetryAfterMs } from "../base/retry-after.ts";
import type { Outcome } from "../domain/outcome.ts";

export type RetryOutcome = Extract<Outcome, { kind: "retry" }>;
type Failure = Exclude<Outcome, { kind: "done" }>;

interface Verdict {
  errcode: string;
  errmsg: string;
  fields: Record<string, unknown>;
}

/** The platform's verdict (errcode "0" is success) with the answer's other fields, or how a call without a verdict ended. */
export type PlatformAnswer = ({ kind: "verdict"; clockOffsetMs: number | null } & Verdict) | { kind: "none"; outcome: Failure };

/** Reads what a platform answered to a call. The content type does not matter: the platforms call their JSON text/plain. */
export function readPlatformAnswer(answer: HttpAnswer, now: Date): PlatformAnswer {
  const { status } = answer;
  const verdict = toVerdict(readJson(answer)) ?? salvageRefusal(answer);
  if (status >= 200 && status <= 299) return verdict === null ? UNREADABLE : conclude(verdict, answer, now);
  if (isSilentBehind(status) || verdict === null || !verdict.isExplicit) return { kind: "none", outcome: toHttpOutcome(answer, now) };
  return verdict.errcode === "0" ? toContradiction(status) : conclude(verdict, answer, now);
}

const errcodeSchema = z
  .union([z.int(), z.string().regex(/^\s*-?\d+\s*$/)])
  .nullish()
  .transform((errcode) => Number(errcode ?? 0));

const verdictSchema = z.looseObject({ errcode: errcodeSchema, errmsg: z.string().catch("") });

function toVerdict(value: unknown): (Verdict & { isExplicit: boolean }) | null {
  const read = verdictSchema.safeParse(value);
  if (!read.success) return null;
  const { errcode, errmsg, ...fields } = read.data;
  const isExplicit = value !== null && typeof value === "object" && "errcode" in value && value.errcode !== null;
  return { errcode: String(errcode), errmsg: errmsg.replace(/[\p{Cc} ]+/gu, " "), fields, isExplicit };
}

/**
 * Reads the errcode of an answer whose JSON is broken, for example by quotes in errmsg. A refusal is certain all the same. A success is
 * not: behind the errcode WeCom lists the receivers that it left out.
 */
function salvageRefusal(answer: HttpAnswer): (Verdict & { isExplicit: boolean }) | null {
  const errcode = /^\s*\{\s*"errcode"\s*:\s*"?(-?\d+)"?\s*[,}]/.exec(decodeText(answer))?.[1];
  return errcode === undefined || Number(errcode) === 0
    ? null
    : { errcode: String(Number(errcode)), errmsg: "", fields: {}, isExplicit: true };
}

function conclude({ errcode, errmsg, fields }: Verdict, answer: HttpAnswer, now: Date): PlatformAnswer {
  return { kind: "verdict", errcode, errmsg, fields, clockOffsetMs: readClockOffsetMs(answer, now) };
}

const UNREADABLE: PlatformAnswer = {
  kind: "none",
  outcome: {
    kind: "uncertain",
    code: "WECHAT_ANSWER_UNREADABLE",
    detail: "WeChat's answer is not its JSON, so whether it did the work is unknown; is there a proxy in between?",
  },
};

function toContradiction(status: number): PlatformAnswer {
  const detail = `the answer says HTTP ${status} and errcode 0, so whether WeChat did the work is unknown; is there a proxy in between?`;
  return { kind: "none", outcome: { kind: "uncertain", code: `WECHAT_HTTP_${status}`, detail } };
}

/**
 * 502 and 504 say that the server behind did not answer, as do the unregistered codes of content networks (520–524). The message may
 * have been taken, even when the answer's body says otherwise.
 */
function isSilentBehind(status: number): boolean {
  return status > 500 && status !== 503;
}

/** Errors of the platform come with status 200, so another status is a server or a proxy on the way. 4xx, 500 and 503 refuse the work. */
function toHttpOutcome({ status, headers }: HttpAnswer, now: Date): Failure {
  const code = `WECHAT_HTTP_${status}`;
  if (isSilentBehind(status)) {
    return { kind: "uncertain", code, detail: `WeChat's gateway answered HTTP ${status}; whether WeChat did the work is unknown` };
  }
  const retryAfterMs = readRetryAfterMs(headers["retry-after"], now);
  const detail = `WeChat answered HTTP ${status} and did nothing; if this lasts, check the account's apiBaseUrl and any proxy`;
  return { kind: "retry", code, detail, ...(retryAfterMs !== null && { retryAfterMs }) };
}

export function toTransportOutcome({ code, message }: TransportError): Failure {
  if (code === "CONNECT_FAILED") {
    const detail = `${message}; nothing was sent. Check the network and the account's apiBaseUrl`;
    return { kind: "retry", code: "WECHAT_UNREACHABLE", detail };
  }
  return { kind: "uncertain", code: "WECHAT_ANSWER_LOST", detail: `${message}; whether WeChat did the work is unknown` };
}
