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
  "platformSecret",
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
  /** The remedy for a known error, logged beside it; null for an unknown one. */
  explain?: (error: unknown) => { code: string; remedy: string } | null;
}

/**
 * Lines that come together are written together, and none later than a fifth of a second. By ourselves: what another thread is about to
 * write when the process ends is lost.
 */
const STANDARD_OUTPUT = { dest: 1, sync: true, minLength: 4_096, periodicFlush: 200 };

/** JSON lines. Whatever is logged, secrets, query strings and the paths that carry a push token do not get out. */
export function createLogger({ level, content = false, destination, explain = () => null }: LoggerOptions): Logger {
  const toExplained = (error: unknown) => {
    const { code: fault, remedy } = explain(error) ?? {};
    return { ...toErrorFields(error), ...(fault !== undefined && { fault, remedy }) };
  };
  const options = {
    level,
    base: null,
    // Not pino's own redaction: its wildcards cost more than the rest of a line, ten per cent of what a callback takes.
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => withoutSecretFields(content ? fields : withoutText(fields)),
    },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { ...SERIALIZERS, err: toExplained, error: toExplained },
  };
  return pino(options, destination ?? toStandardOutput());
}

let standardOutput: ReturnType<typeof pino.destination> | undefined;

/** One for the process, however many loggers it has: what is left of their lines is written when it ends. */
function toStandardOutput(): DestinationStream {
  if (standardOutput !== undefined) return standardOutput;
  const output = pino.destination(STANDARD_OUTPUT);
  process.once("exit", () => {
    try {
      output.flushSync();
    } catch {
      // Nobody reads it any more; that is no reason for another exit code.
    }
  });
  standardOutput = output;
  return output;
}

/** The same object when there is nothing to hide. */
function withoutSecretFields<Fields extends object>(fields: Fields, depth = 0): Fields {
  let shown = fields;
  for (const [name, value] of Object.entries(fields)) {
    const safe = toSafe(name, value, depth);
    if (safe === value) continue;
    if (shown === fields) shown = Array.isArray(fields) ? (fields.slice() as Fields) : { ...fields };
    Object.assign(shown, { [name]: safe });
  }
  return shown;
}

const CENSORED = "[redacted]";

function toSafe(name: string, value: unknown, depth: number): unknown {
  if (SECRET_FIELDS.has(name)) return CENSORED;
  if (typeof value !== "object" || value === null || (depth === 0 && Object.hasOwn(SERIALIZERS, name))) return value;
  // Deeper than a serializer is asked.
  if (value instanceof Error) return toErrorFields(value);
  // A date or a buffer says itself what is shown of it.
  return depth === DEPTH_MAX || "toJSON" in value ? value : withoutSecretFields(value, depth + 1);
}

/** These pick what they show. They are also asked for what a child of the logger is bound to, where no formatter is. */
const SERIALIZERS = {
  ...Object.fromEntries([...SECRET_FIELDS].map((name) => [name, () => CENSORED])),
  req: toRequestFields,
  res: toResponseFields,
  err: (error: unknown) => toErrorFields(error),
  error: (error: unknown) => toErrorFields(error),
};

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
