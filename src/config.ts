import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { parseEnv } from "node:util";
import { z } from "zod";
import { ConfigError } from "./base/errors.ts";
import { isBareHttpUrl } from "./base/http-url.ts";
import { nearest } from "./base/nearest.ts";
import { withoutBom } from "./base/without-bom.ts";
import { parseMasterKey } from "./keys/master-key.ts";

const MASTER_KEY_REMEDY = `make one with node -p "crypto.randomBytes(32).toString('base64')"`;

/** Everything that can be set: type, default as one would write it in the environment, and one sentence. */
export const settingsSchema = z.object({
  WXDESK_HOST: z.string().prefault("127.0.0.1").describe("Address the gateway listens on."),
  WXDESK_PORT: port().prefault("8787").describe("Port the gateway listens on; 0 takes any free one."),
  WXDESK_PUBLIC_URL: publicUrl()
    .optional()
    .describe("How WeChat and the desk reach the gateway, without trailing slash; http://host:port when not set."),
  DATABASE_URL: databaseUrl()
    .optional()
    .describe("PostgreSQL server shared by all replicas; when not set, an embedded Postgres in WXDESK_DATA_DIR."),
  WXDESK_DATA_DIR: z.string().prefault("./data").describe("Folder of the embedded database and of generated keys."),
  WXDESK_MASTER_KEY: masterKey()
    .optional()
    .describe("Encrypts every stored secret: 32 bytes in base64; generated into the data folder when not set, required with DATABASE_URL."),
  WXDESK_MASTER_KEY_PREVIOUS: masterKey().optional().describe("The master key before the last rotation; only reads."),
  WXDESK_ADMIN_KEY: apiKey()
    .optional()
    .describe("First API key, with the role admin; generated and printed once at the first start when not set."),
  WXDESK_API_KEY: apiKey().optional().describe("API key that the command line uses with --url; the gateway does not look at it."),
  WXDESK_ROLE: z
    .enum(["all", "http", "worker"], "must be all, http or worker")
    .prefault("all")
    .describe("What this process does: all, http (no worker) or worker (no callbacks)."),
  WXDESK_METRICS_PORT: port().optional().describe("Port of a listener of its own for /metrics; none when not set."),
  WXDESK_LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], "must be fatal, error, warn, info, debug, trace or silent")
    .prefault("info")
    .describe("Least important lines that are logged: fatal, error, warn, info, debug, trace or silent."),
  WXDESK_LOG_CONTENT: flag().prefault("false").describe("Whether the text of messages may appear in the log."),
  WXDESK_RETENTION_DAYS: wholeNumber(1, 36_500).prefault("90").describe("Messages older than this many days are removed."),
  WXDESK_OPEN_CALLBACKS_MAX: wholeNumber(1, 100_000)
    .prefault("2000")
    .describe("Callbacks kept open for a passive reply; more are acknowledged at once, and twice as many are refused with 503."),
  WXDESK_PUSH_PARTS_MAX: wholeNumber(1, 100)
    .prefault("20")
    .describe("How many messages to one customer a push of the desk, or an operator's text, may make."),
  WXDESK_MEDIA_ALLOW_NETWORKS: networks()
    .prefault("")
    .describe("Private networks (CIDR, separated by commas) that media addresses given by a desk may point into."),
});

export type SettingName = keyof typeof settingsSchema.shape;

/** Settings whose value can stand in a file that `<name>_FILE` names. */
export const FILE_SETTINGS = [
  "DATABASE_URL",
  "WXDESK_MASTER_KEY",
  "WXDESK_MASTER_KEY_PREVIOUS",
  "WXDESK_ADMIN_KEY",
  "WXDESK_API_KEY",
] as const satisfies SettingName[];

/** Settings that cannot be used; each problem names its setting and the remedy, and none of the values. */
export class SettingsError extends ConfigError {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super("SETTINGS_INVALID", `the settings cannot be used:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type Config = Readonly<ReturnType<typeof toConfig>>;

/** The process's environment, completed by `.env`. Nothing else reads either. */
export function readEnvironment(path = ".env"): Environment {
  return { ...parseEnv(readOptionalFile(path)), ...process.env };
}

/** npm and npx tell what they run that they do. */
export function isRunByNpm(environment: Environment): boolean {
  return environment.npm_execpath !== undefined;
}

/**
 * Reads the settings; an empty value counts as not set.
 * @throws SettingsError (ConfigError SETTINGS_INVALID) with every problem, one per line
 */
export function readConfig(environment: Environment): Config {
  const problems = findUnknown(environment);
  const values = resolveFiles(dropEmpty(environment), problems);
  const result = settingsSchema.safeParse(values);
  for (const issue of result.error?.issues ?? []) problems.push(`${issue.path.join(".")} ${issue.message}`);
  if (values.DATABASE_URL && !values.WXDESK_MASTER_KEY && !values.WXDESK_MASTER_KEY_FILE) {
    problems.push(`WXDESK_MASTER_KEY is required when DATABASE_URL is set; ${MASTER_KEY_REMEDY}, the same for all replicas`);
  }
  if (result.success && problems.length === 0) return toConfig(result.data);
  throw new SettingsError(problems);
}

function toConfig(settings: z.output<typeof settingsSchema>) {
  return {
    host: settings.WXDESK_HOST,
    port: settings.WXDESK_PORT,
    publicUrl: settings.WXDESK_PUBLIC_URL,
    databaseUrl: settings.DATABASE_URL,
    dataDir: settings.WXDESK_DATA_DIR,
    masterKey: settings.WXDESK_MASTER_KEY,
    previousMasterKey: settings.WXDESK_MASTER_KEY_PREVIOUS,
    adminKey: settings.WXDESK_ADMIN_KEY,
    apiKey: settings.WXDESK_API_KEY,
    role: settings.WXDESK_ROLE,
    metricsPort: settings.WXDESK_METRICS_PORT,
    logLevel: settings.WXDESK_LOG_LEVEL,
    logContent: settings.WXDESK_LOG_CONTENT,
    retentionDays: settings.WXDESK_RETENTION_DAYS,
    openCallbacksMax: settings.WXDESK_OPEN_CALLBACKS_MAX,
    pushPartsMax: settings.WXDESK_PUSH_PARTS_MAX,
    mediaAllowNetworks: settings.WXDESK_MEDIA_ALLOW_NETWORKS,
  };
}

/** What the start-up line may show: of a secret only whether it is set, of the database only where it is. */
export function summarize({
  databaseUrl,
  masterKey,
  previousMasterKey,
  adminKey,
  apiKey: _apiKey,
  ...open
}: Config): Record<string, unknown> {
  return {
    ...open,
    database: databaseUrl === undefined ? "embedded" : new URL(databaseUrl).host || "local socket",
    masterKeySet: masterKey !== undefined,
    previousMasterKeySet: previousMasterKey !== undefined,
    adminKeySet: adminKey !== undefined,
  };
}

type Values = Record<string, string>;

function dropEmpty(environment: Environment): Values {
  return Object.fromEntries(Object.entries(environment).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

/** A misspelt name must not quietly leave a default in force. */
function findUnknown(environment: Environment): string[] {
  const known = [...Object.keys(settingsSchema.shape), ...FILE_SETTINGS.map((name) => `${name}_FILE`)];
  return Object.keys(environment)
    .filter((name) => name.startsWith("WXDESK_") && !known.includes(name))
    .map((name) => `${name} is no setting; did you mean ${nearest(name, known)}?`);
}

/** Puts the contents of the `_FILE` settings in their place; what goes wrong is added to `problems`. */
function resolveFiles(values: Values, problems: string[]): Values {
  const resolved = { ...values };
  for (const name of FILE_SETTINGS) {
    const path = values[`${name}_FILE`];
    if (path === undefined) continue;
    if (values[name] !== undefined) problems.push(`${name} and ${name}_FILE are both set; keep one of them`);
    try {
      resolved[name] = withoutBom(readFileSync(path, "utf8")).replace(/\r?\n$/, "");
    } catch (error) {
      problems.push(`${name}_FILE names a file that cannot be read (${errorCode(error)}); check path and permissions`);
    }
  }
  return resolved;
}

function readOptionalFile(path: string): string {
  try {
    return withoutBom(readFileSync(path, "utf8"));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

// The building blocks of the schema. Their messages complete a sentence that begins with the setting's name; none repeats a value.

function wholeNumber(min: number, max: number) {
  return z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, `must be a whole number from ${min} to ${max}`)
    .transform(Number);
}

function port() {
  return wholeNumber(0, 65_535);
}

function flag() {
  return z.enum(["true", "false"], "must be true or false").transform((text) => text === "true");
}

function publicUrl() {
  const remedy = "must be an http or https address without trailing slash, query and password, such as https://gateway.example.com";
  return z.string().refine((text) => isBareHttpUrl(text) && !text.endsWith("/"), remedy);
}

function databaseUrl() {
  const remedy = "must look like postgresql://user:password@host:5432/name; leave it empty for the embedded database";
  return z.string().refine((text) => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text), remedy);
}

function masterKey() {
  return z.string().transform((text, context) => {
    const key = parseMasterKey(text);
    if (key) return key;
    context.issues.push({ code: "custom", message: `must be 32 bytes in base64; ${MASTER_KEY_REMEDY}`, input: undefined });
    return z.NEVER;
  });
}

function apiKey() {
  return z.string().regex(/^[\x21-\x7e]{1,256}$/, "must be 1 to 256 printable ASCII characters without blanks");
}

function networks() {
  return z
    .string()
    .transform((text) => text.split(",").flatMap((network) => network.trim() || []))
    .refine((networks) => networks.every(isNetwork), "must be networks such as 10.0.0.0/8,fd00::/8, separated by commas");
}

function isNetwork(text: string): boolean {
  const [address = "", prefix = "", ...rest] = text.split("/");
  const family = isIP(address);
  return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}
