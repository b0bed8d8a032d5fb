import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { ConfigError, type ErrorCode } from "../base/errors.ts";
import { type DatabaseFault, toSentence } from "../domain/database-fault.ts";

/** Every way the API says no. Clients look at the code; codes are never renamed. */
export const PROBLEMS = {
  REQUEST_INVALID: { status: 400, title: "The request cannot be read" },
  VALIDATION_FAILED: { status: 400, title: "The request does not fit the schema" },
  JSON_INVALID: { status: 400, title: "The body is not JSON" },
  CURSOR_INVALID: { status: 400, title: "The cursor is not one of ours" },
  CONFIRMATION_MISSING: { status: 400, title: "The deletion is not confirmed" },
  UNAUTHORIZED: { status: 401, title: "No valid API key" },
  FORBIDDEN: { status: 403, title: "The API key may not do this" },
  NOT_FOUND: { status: 404, title: "Not found" },
  REQUEST_TIMEOUT: { status: 408, title: "The request did not come in time" },
  ACCOUNT_EXISTS: { status: 409, title: "An account with this id exists" },
  ACCOUNT_DUPLICATE: { status: 409, title: "Another account is the same app at the platform" },
  ACCOUNT_DISABLED: { status: 409, title: "The account is disabled" },
  ACCOUNT_SECRET_MISSING: { status: 409, title: "The account lacks a secret" },
  LAST_ADMIN_KEY: { status: 409, title: "The last key that may manage keys" },
  BODY_TOO_LARGE: { status: 413, title: "The body is too large" },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, title: "The body's media type is not supported" },
  EXPECTATION_UNKNOWN: { status: 417, title: "The expectation is not known" },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: "The idempotency key belongs to another request" },
  RATE_LIMITED: { status: 429, title: "Too many wrong API keys" },
  HEADERS_TOO_LARGE: { status: 431, title: "The headers are too large" },
  TOO_SLOW: { status: 503, title: "Not done in time" },
  INTERNAL: { status: 500, title: "Something failed on our side" },
  DATABASE_UNAVAILABLE: { status: 503, title: "The database does not answer" },
  DATABASE_BUSY: { status: 503, title: "The database is busy or locked" },
  DATABASE_READ_ONLY: { status: 503, title: "The database is read-only" },
  DATABASE_FULL: { status: 503, title: "The disk of the database is full" },
  DATABASE_FORBIDDEN: { status: 503, title: "The database's user lacks a permission" },
  DATABASE_MISMATCHED: { status: 503, title: "The tables are not those of this build" },
  DATABASE_POOLED: { status: 503, title: "A pooler in transaction mode stands before the database" },
  DATABASE_FAILED: { status: 503, title: "The database fails by itself" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One field that is wrong. `pointer` is a JSON pointer (RFC 6901, as a URI fragment) into the named part of the request. */
const fieldErrorSchema = z.object({
  in: z.enum(["body", "query", "path", "header"]),
  pointer: z.string(),
  detail: z.string(),
});

export type FieldError = z.output<typeof fieldErrorSchema>;

/** RFC 9457. */
export const problemSchema = z
  .object({
    type: z.string().describe("A URN made from the code."),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What to do about it."),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    errors: z.array(fieldErrorSchema).optional(),
  })
  .meta({
    id: "Problem",
    description: "An RFC 9457 problem.",
    examples: [
      {
        type: "urn:wxdesk:problem:validation-failed",
        title: PROBLEMS.VALIDATION_FAILED.title,
        status: 400,
        detail: "mend what is named in errors and send the request again",
        code: "VALIDATION_FAILED",
        errors: [{ in: "body", pointer: "#/wechat/encodingAesKey", detail: "must be the 43 characters that WeChat's console shows" }],
      },
    ],
  });

/** An answer that says no: thrown by whatever finds the problem, written by `sendProblem`. The detail tells the remedy. */
export class Problem extends Error {
  readonly problemCode: ProblemCode;
  readonly errors: FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, detail: string, options: ErrorOptions & { errors?: FieldError[]; retryAfterSeconds?: number } = {}) {
    super(detail, options);
    this.name = "Problem";
    this.problemCode = code;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return PROBLEMS[this.problemCode].status;
  }

  toBody(): z.output<typeof problemSchema> {
    const code = this.problemCode;
    const type = `urn:wxdesk:problem:${code.toLowerCase().replaceAll("_", "-")}`;
    return { type, ...PROBLEMS[code], detail: this.message, code, ...(this.errors && { errors: this.errors }) };
  }
}

export function notFound(what: string): Problem {
  return new Problem("NOT_FOUND", `there is no ${what}`);
}

const DATABASE_BACK_SECONDS = 5;

/** A fault of the database is never one of the request: it passes, or an operator ends it, and then the same request succeeds. */
export function databaseProblem(fault: DatabaseFault, cause: unknown): Problem {
  // A database that went away may have made the change. After any other fault it has made none.
  const doubt = fault.code === "DATABASE_UNAVAILABLE" ? "; if this was to change something, look first whether it did" : "";
  const detail = `${toSentence(fault)}; then try again (GET /readyz tells when)${doubt}`;
  return new Problem(fault.code, detail, { cause, retryAfterSeconds: DATABASE_BACK_SECONDS });
}

/** Fastify's error handler for the API. What nobody expected is answered without a word about its cause, which is logged. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error);
  if (problem.status >= 500) request.log.error({ req: request, err: error }, "request.failed");
  if (problem.status === 401) reply.header("www-authenticate", 'Bearer realm="wxdesk"');
  if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", problem.retryAfterSeconds);
  return reply.code(problem.status).type("application/problem+json").send(JSON.stringify(problem.toBody()));
}

export function sendRouteNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(new Problem("NOT_FOUND", "there is no such route; GET /openapi.json lists all of them"), request, reply);
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  // Only these speak of the request; every other ConfigError is about the gateway's own set-up.
  if (error instanceof ConfigError && isOfRequest(error.code)) return new Problem(error.code, error.message, { cause: error });
  return toFrameworkProblem(error) ?? new Problem("INTERNAL", "try again; if it stays, the gateway's log tells why", { cause: error });
}

function isOfRequest(code: ErrorCode): code is Extract<ErrorCode, ProblemCode> {
  return code === "ACCOUNT_EXISTS" || code === "ACCOUNT_DUPLICATE" || code === "ACCOUNT_SECRET_MISSING";
}

const TOO_SLOW_DETAIL = "the database or an outside was too slow: look at /readyz, then at what is there, since a change may still be made";

const FASTIFY_PROBLEMS: Readonly<Record<string, [ProblemCode, string]>> = {
  FST_ERR_HANDLER_TIMEOUT: ["TOO_SLOW", TOO_SLOW_DETAIL],
  FST_ERR_CTP_BODY_TOO_LARGE: ["BODY_TOO_LARGE", "send a smaller body"],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["MEDIA_TYPE_UNSUPPORTED", "send the body as application/json"],
  FST_ERR_CTP_INVALID_JSON_BODY: ["JSON_INVALID", "send one JSON object, encoded in UTF-8"],
};

/** Fastify's own refusals carry a status below 500; their texts can quote the request, so ours is used. */
function toFrameworkProblem(error: unknown): Problem | null {
  if (!(error instanceof Error) || !("code" in error) || !("statusCode" in error)) return null;
  const [code, detail] = FASTIFY_PROBLEMS[String(error.code)] ?? ["REQUEST_INVALID", "mend the request's address, headers or length"];
  return Number(error.statusCode) < 500 || code === "TOO_SLOW" ? new Problem(code, detail, { cause: error }) : null;
}
