import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../src/base/errors.ts";
import { FILE_SETTINGS, readConfig, readEnvironment, settingsSchema, summarize } from "../src/config.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wxdesk-config-"));
});

afterAll(() => rm(folder, { recursive: true }));

function problemsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toHaveProperty("code", "SETTINGS_INVALID");
    return String(error).split("\n").slice(1);
  }
  return [];
}

async function fileWith(content: string): Promise<string> {
  const path = join(folder, `${Math.random()}`);
  await writeFile(path, content);
  return path;
}

describe("settings", () => {
  test("an empty environment gives the documented defaults", () => {
    expect(readConfig({})).toEqual({
      host: "127.0.0.1",
      port: 8787,
      publicUrl: undefined,
      databaseUrl: undefined,
      dataDir: "./data",
      masterKey: undefined,
      previousMasterKey: undefined,
      adminKey: undefined,
      apiKey: undefined,
      role: "all",
      metricsPort: undefined,
      logLevel: "info",
      logContent: false,
      retentionDays: 90,
      openCallbacksMax: 2_000,
      pushPartsMax: 20,
      mediaAllowNetworks: [],
    });
  });

  test("every setting is read, and foreign names are left alone", () => {
    const config = readConfig({
      PATH: "/usr/bin",
      TEST_DATABASE_URL: "x",
      WXDESK_HOST: "0.0.0.0",
      WXDESK_PORT: "0",
      WXDESK_PUBLIC_URL: "https://gateway.example.com/base",
      DATABASE_URL: "postgres://wxdesk:pw@db.example.com:5433/wxdesk",
      WXDESK_DATA_DIR: "/var/lib/wxdesk",
      WXDESK_MASTER_KEY: KEY,
      WXDESK_MASTER_KEY_PREVIOUS: KEY,
      WXDESK_ADMIN_KEY: "an-admin-key",
      WXDESK_API_KEY: "an-api-key",
      WXDESK_ROLE: "worker",
      WXDESK_METRICS_PORT: "9100",
      WXDESK_LOG_LEVEL: "debug",
      WXDESK_LOG_CONTENT: "true",
      WXDESK_RETENTION_DAYS: "7",
      WXDESK_OPEN_CALLBACKS_MAX: "50",
      WXDESK_PUSH_PARTS_MAX: "5",
      WXDESK_MEDIA_ALLOW_NETWORKS: "10.0.0.0/8, fd00::/8",
    });
    expect(config).toMatchObject({ port: 0, role: "worker", metricsPort: 9100, logContent: true, retentionDays: 7, pushPartsMax: 5 });
    expect(config.masterKey).toEqual(Buffer.alloc(32, 7));
    expect(config.mediaAllowNetworks).toEqual(["10.0.0.0/8", "fd00::/8"]);
  });

  test("an empty value counts as not set", () => {
    expect(readConfig({ WXDESK_PORT: "", DATABASE_URL: "", WXDESK_ADMIN_KEY: "" })).toEqual(readConfig({}));
  });

  test("all problems are told at once, each with its name, and no value is repeated", () => {
    const problems = problemsOf({
      WXDESK_PORT: "65536",
      WXDESK_PUBLIC_URL: "https://gateway.example.com/",
      DATABASE_URL: "mysql://root:hunter2@db/x",
      WXDESK_MASTER_KEY: "bm90IDMyIGJ5dGVz",
      WXDESK_ADMIN_KEY: "with a blank",
      WXDESK_ROLE: "both",
      WXDESK_LOG_CONTENT: "yes",
      WXDESK_RETENTION_DAYS: "0",
      WXDESK_PUSH_PARTS_MAX: "0",
      WXDESK_MEDIA_ALLOW_NETWORKS: "10.0.0.0/33",
    });
    expect(problems.map((problem) => problem.match(/\w+/)?.[0])).toEqual([
      "WXDESK_PORT",
      "WXDESK_PUBLIC_URL",
      "DATABASE_URL",
      "WXDESK_MASTER_KEY",
      "WXDESK_ADMIN_KEY",
      "WXDESK_ROLE",
      "WXDESK_LOG_CONTENT",
      "WXDESK_RETENTION_DAYS",
      "WXDESK_PUSH_PARTS_MAX",
      "WXDESK_MEDIA_ALLOW_NETWORKS",
    ]);
    expect(problems.join()).not.toMatch(/hunter2|bm90|short/);
  });

  test.each(["1.5", "-1", "0x10", "80 ", "1e3", "eighty"])("%j is no port", (text) => {
    expect(problemsOf({ WXDESK_PORT: text })).toHaveLength(1);
  });

  test.each(["10.0.0.1", "10.0.0.0/8/8", "10.0.0.0/", "fd00::/129", "localhost/8"])("%j is no network", (text) => {
    expect(problemsOf({ WXDESK_MEDIA_ALLOW_NETWORKS: text })).toHaveLength(1);
  });

  test.each(["ftp://a", "gateway.example.com", "https://a?b", "https://user@a", "https://a#b"])("%j is no public address", (text) => {
    expect(problemsOf({ WXDESK_PUBLIC_URL: text })).toHaveLength(1);
  });

  test("a misspelt name is refused with the nearest name", () => {
    expect(problemsOf({ WXDESK_ADMIN_KYE: "x" })).toEqual([expect.stringContaining("did you mean WXDESK_ADMIN_KEY?")]);
    expect(problemsOf({ WXDESK_MASTERKEY_FILE: "x" })).toEqual([expect.stringContaining("did you mean WXDESK_MASTER_KEY_FILE?")]);
  });

  test("a database server asks for a master key", () => {
    const [problem] = problemsOf({ DATABASE_URL: "postgresql://db/wxdesk" });
    expect(problem).toContain("WXDESK_MASTER_KEY is required");
    expect(readConfig({ DATABASE_URL: "postgresql://db/wxdesk", WXDESK_MASTER_KEY: KEY }).databaseUrl).toBe("postgresql://db/wxdesk");
  });
});

describe("settings in files", () => {
  test.each(FILE_SETTINGS)("%s_FILE reads the value, without its final newline", async (name) => {
    const value = name === "DATABASE_URL" ? "postgresql://wxdesk:pw@db/wxdesk" : KEY;
    const others = name === "DATABASE_URL" ? { WXDESK_MASTER_KEY: KEY } : {};
    expect(readConfig({ ...others, [`${name}_FILE`]: await fileWith(`${value}\n`) })).toEqual(readConfig({ ...others, [name]: value }));
  });

  test("a database server whose address is in a file asks for a master key too", async () => {
    const problems = problemsOf({ DATABASE_URL_FILE: await fileWith("postgresql://db/wxdesk\n") });
    expect(problems).toEqual([expect.stringContaining("WXDESK_MASTER_KEY is required")]);
  });

  test("the mark that editors on Windows begin a file with is no part of the value", async () => {
    expect(readConfig({ WXDESK_MASTER_KEY_FILE: await fileWith(`\uFEFF${KEY}\r\n`) }).masterKey).toEqual(Buffer.alloc(32, 7));
  });

  test("only the final newline is taken off", async () => {
    expect(problemsOf({ WXDESK_ADMIN_KEY_FILE: await fileWith("an-admin-key\n\n") })).toHaveLength(1);
  });

  test("a value and its file together are refused", async () => {
    const problems = problemsOf({ WXDESK_MASTER_KEY: KEY, WXDESK_MASTER_KEY_FILE: await fileWith(KEY) });
    expect(problems).toEqual([expect.stringContaining("both set")]);
  });

  test("a file that cannot be read is named by its setting, not a second time as missing", () => {
    const problems = problemsOf({ DATABASE_URL: "postgresql://db/wxdesk", WXDESK_MASTER_KEY_FILE: join(folder, "absent") });
    expect(problems).toEqual([expect.stringMatching(/WXDESK_MASTER_KEY_FILE .* \(ENOENT\)/)]);
  });
});

describe("the start-up summary", () => {
  test("tells where the database is and which secrets are set, and holds none of them", () => {
    const databaseUrl = "postgresql://wxdesk:hunter2@db.example.com:5433/wxdesk?sslkey=hidden";
    const summary = summarize(readConfig({ DATABASE_URL: databaseUrl, WXDESK_MASTER_KEY: KEY, WXDESK_ADMIN_KEY: "an-admin-key" }));
    expect(summary).toMatchObject({ database: "db.example.com:5433", masterKeySet: true, adminKeySet: true, previousMasterKeySet: false });
    expect(JSON.stringify(summary)).not.toMatch(/hunter2|hidden|an-admin-key|BwcH/);
  });
});

describe(".env", () => {
  test("completes the environment and never overrides it", async () => {
    const environment = readEnvironment(await fileWith("PATH=/elsewhere\nWXDESK_PORT=1234\n"));
    expect(environment.WXDESK_PORT).toBe("1234");
    expect(environment.PATH).not.toBe("/elsewhere");
  });

  test("keeps its first setting when it begins with a byte order mark", async () => {
    expect(readEnvironment(await fileWith("\uFEFFWXDESK_PORT=1234\r\nWXDESK_HOST=0.0.0.0\r\n"))).toMatchObject({
      WXDESK_PORT: "1234",
      WXDESK_HOST: "0.0.0.0",
    });
  });

  test("need not exist", () => {
    expect(readEnvironment(join(folder, "absent"))).toHaveProperty("PATH");
  });

  test("the example lists every setting with its sentence and its default, in the order of the schema", () => {
    const example = readFileSync(new URL("../.env.example", import.meta.url), "utf8");
    const expected = Object.entries(settingsSchema.shape).map(([name, schema]) => {
      const preset = "defaultValue" in schema.def ? schema.def.defaultValue : "";
      return `# ${schema.description}\n# ${name}=${preset}\n`;
    });
    expect(example.split("\n\n").slice(1).join("\n\n")).toBe(expected.join("\n"));
  });
});
