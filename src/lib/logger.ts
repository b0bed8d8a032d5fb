import { type DestinationStream, type Logger, pino } from "pino";
import { withoutSecrets } from "./redact.ts";

/** Fields that hold a secret wherever somebody logs them: on top, or inside one or two objects. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "secret",
  "secrets",
  "token",
  "accessToken",
  "pushToken",
  "encodingAesKey",
  "appSecret",
  "corpSecret",
  "deskKey",
  "adminKey",
  "apiKey",
  "masterKey",
  "previousMasterKey",
  "databaseUrl",
  "authorization",
  "cookie",
  "password",
]);
const DEPTH_MAX = 2;

export interface LoggerOptions {
  level: string;
  /** Whether `text`, what contacts and agents say, is kept. */
  content?: boolean;
  /** Standard output when absent. */
  destination?: DestinationStream | undefined;
}

/** Lines that come together are written together, and none later than a fifth of a second; what is left is written when the process ends. */
const STANDARD_OUTPUT = { dest: 1, sync: false, minLength: 4_096, periodicFlush: 200 };

/** JSON lines. Whatever is logged, secrets, query strings and the paths that carry a push token do not get out. */
export function createLogger({ level, content = false, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    // Not pino's own redaction: its wildcards cost more than the rest of a line, ten per cent of what a callback takes.
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => withoutSecretFields(content ? fields : withoutText(fields)),
    },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { req: toRequestFields, res: toResponseFields, err: toErrorFields, error: toErrorFields },
  };
  return pino(options, destination ?? pino.destination(STANDARD_OUTPUT));
}

/** The same object when there is nothing to hide. What is no plain object or array has a serializer, which picks what it shows. */
function withoutSecretFields<Fields extends object>(fields: Fields, depth = 0): Fields {
  let shown = fields;
  for (const [name, value] of Object.entries(fields)) {
    const safe = SECRET_FIELDS.has(name) ? CENSORED : depth < DEPTH_MAX && isPlain(value) ? withoutSecretFields(value, depth + 1) : value;
    if (safe === value) continue;
    if (shown === fields) shown = Array.isArray(fields) ? (fields.slice() as Fields) : { ...fields };
    Object.assign(shown, { [name]: safe });
  }
  return shown;
}

const CENSORED = "[redacted]";

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}

function withoutText({ text: _text, ...fields }: Record<string, unknown>): Record<string, unknown> {
  return fields;
}

/** The part of a Fastify request that is logged. The route's pattern stands for the address: a push address holds a token. */
function toRequestFields(request: { method?: string; routeOptions?: { url?: string | undefined }; ip?: string }) {
  return { method: request.method, route: request.routeOptions?.url, remoteAddress: request.ip };
}

function toResponseFields(response: { statusCode?: number }) {
  return { statusCode: response.statusCode };
}

interface ErrorFields {
  type: string;
  code?: unknown;
  message: string;
  stack?: string | undefined;
  cause?: ErrorFields;
}

const CAUSES_MAX = 5;

/** Only these fields: other properties of an error (`input` of ERR_INVALID_URL, for one) hold whole addresses. */
function toErrorFields(error: unknown, depth = 0): ErrorFields {
  if (!(error instanceof Error)) return { type: typeof error, message: withoutSecrets(String(error)) };
  const fields: ErrorFields = { type: error.name, message: withoutSecrets(error.message) };
  if ("code" in error) fields.code = error.code;
  if (error.stack) fields.stack = withoutSecrets(error.stack);
  if (error.cause !== undefined && depth < CAUSES_MAX) fields.cause = toErrorFields(error.cause, depth + 1);
  return fields;
}
