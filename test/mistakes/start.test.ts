import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFile, chmod, mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createApp } from "../../src/app/app.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { readConfig } from "../../src/config.ts";
import { diagnose } from "../../src/doctor/diagnose.ts";
import { copyDataFolder, prepareDataFolder } from "../crash/stage.ts";
import { findFreePort } from "../support/free-port.ts";
import { ADMIN_KEY, callApi } from "../support/gateway.ts";
import { describeMistakes } from "./expect-said.ts";
import { MISTAKES, says } from "./list.ts";

prepareDataFolder();

const MASTER_KEY = randomBytes(32).toString("base64");

/** What a start with these settings prints. It must fail. */
async function start(settings: Record<string, string>): Promise<string> {
  try {
    const app = await createApp(readConfig({ WXDESK_LOG_LEVEL: "silent", WXDESK_PORT: "0", WXDESK_ADMIN_KEY: ADMIN_KEY, ...settings }));
    onTestFinished(app.close);
    await app.listen();
  } catch (error) {
    if (error instanceof ConfigError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error("the gateway started");
}

/** The same, and what `doctor` says: it must not know less. */
async function startAndDiagnose(id: keyof typeof MISTAKES.start, settings: Record<string, string>): Promise<string> {
  const printed = await start(settings);
  const findings = await diagnose({ WXDESK_PORT: "0", WXDESK_ADMIN_KEY: ADMIN_KEY, ...settings }, null);
  const failed = findings.filter(({ ok }) => ok === false).map(({ what, remedy }) => `${what}; ${remedy}`);
  if (failed.some((text) => says(text, MISTAKES.start[id].sentence))) return printed;
  throw new Error(`doctor does not say so, but: ${failed.join("\n") || "nothing"}`);
}

const inSettings = (id: keyof typeof MISTAKES.start, settings: Record<string, string>) => () => startAndDiagnose(id, settings);

const onServer = (port: number) => ({ DATABASE_URL: `postgresql://wxdesk:secret@127.0.0.1:${port}/wxdesk`, WXDESK_MASTER_KEY: MASTER_KEY });

/** A server that refuses every login with this error, in the bytes that PostgreSQL would use (its manual, 53.7). */
async function refusingServer(code: string, message: string): Promise<number> {
  const fields = Buffer.from(["SFATAL", "VFATAL", `C${code}`, `M${message}`, "", ""].join("\0"));
  const head = Buffer.alloc(5, "E");
  head.writeInt32BE(fields.length + 4, 1);
  const server = createServer((socket) => {
    socket.on("error", () => {}).once("data", () => socket.end(Buffer.concat([head, fields])));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A pooler that has one session for all: every connection hears of the same. With a real one: crash/pooler.test.ts. */
async function poolingServer(): Promise<number> {
  const message = (type: string, body: Buffer) => {
    const head = Buffer.alloc(5, type);
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const text = Buffer.from("4711");
  const welcome = Buffer.concat([message("R", Buffer.alloc(4)), message("Z", Buffer.from("I"))]);
  const answer = Buffer.concat([
    message(
      "T",
      Buffer.concat([
        Buffer.from([0, 1]),
        Buffer.from("session\0"),
        Buffer.alloc(6),
        Buffer.from([0, 0, 0, 25, 255, 255]),
        Buffer.alloc(6),
      ]),
    ),
    message("D", Buffer.concat([Buffer.from([0, 1, 0, 0, 0, text.length]), text])),
    message("C", Buffer.from("SELECT 1\0")),
    message("Z", Buffer.from("I")),
  ]);
  const server = createServer((socket) => {
    socket
      .on("error", () => {})
      .once("data", () => {
        socket.write(welcome);
        socket.on("data", (bytes) => (bytes[0] === "Q".charCodeAt(0) ? socket.write(answer) : socket.end()));
      });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A data folder with an account in it. */
async function storedFolder(settings: Record<string, string> = {}): Promise<string> {
  const folder = await copyDataFolder();
  const app = await createApp(
    readConfig({ WXDESK_LOG_LEVEL: "silent", WXDESK_PORT: "0", WXDESK_ADMIN_KEY: ADMIN_KEY, WXDESK_DATA_DIR: folder, ...settings }),
  );
  const address = await app.listen();
  const account = {
    id: "shop",
    name: "Shop",
    kind: "official_account",
    wechat: { appId: "wx0123456789abcdef", appSecret: "app-secret" },
    desk: { protocol: "udesk-message-interface", url: "http://127.0.0.1:9/im_callback", key: "desk-key" },
  };
  await callApi(address, "POST", "/accounts", account, ADMIN_KEY);
  await app.close();
  return folder;
}

describeMistakes("start", {
  "bad-port": inSettings("bad-port", { WXDESK_PORT: "many" }),
  "unknown-setting": inSettings("unknown-setting", { WXDESK_ADMIN_KYE: "x" }),
  "value-and-file": inSettings("value-and-file", { WXDESK_MASTER_KEY: MASTER_KEY, WXDESK_MASTER_KEY_FILE: "package.json" }),
  "file-missing": inSettings("file-missing", { WXDESK_ADMIN_KEY: "", WXDESK_ADMIN_KEY_FILE: "not/there" }),
  "public-url-with-slash": inSettings("public-url-with-slash", { WXDESK_PUBLIC_URL: "https://gateway.example.com/" }),
  "master-key-missing": inSettings("master-key-missing", { DATABASE_URL: "postgresql://db/wxdesk" }),
  "master-key-short": inSettings("master-key-short", { WXDESK_MASTER_KEY: randomBytes(31).toString("base64") }),
  "master-key-wrong": async () => {
    const folder = await storedFolder();
    return startAndDiagnose("master-key-wrong", { WXDESK_DATA_DIR: folder, WXDESK_MASTER_KEY: MASTER_KEY });
  },
  "master-key-file-spoilt": async () => {
    const folder = await storedFolder();
    await writeFile(join(folder, "master.key"), "not a key\n");
    return startAndDiagnose("master-key-file-spoilt", { WXDESK_DATA_DIR: folder });
  },
  "database-away": async () => startAndDiagnose("database-away", onServer(await findFreePort())),
  "database-password": async () => {
    const port = await refusingServer("28P01", 'password authentication failed for user "wxdesk"');
    return startAndDiagnose("database-password", onServer(port));
  },
  "database-name": async () =>
    startAndDiagnose("database-name", onServer(await refusingServer("3D000", 'database "wxdesk" does not exist'))),
  "database-pooled": async () => startAndDiagnose("database-pooled", onServer(await poolingServer())),
  "database-starting": async () =>
    startAndDiagnose("database-starting", onServer(await refusingServer("57P03", "the database system is starting up"))),
  "database-connections": async () =>
    startAndDiagnose("database-connections", onServer(await refusingServer("53300", "sorry, too many clients already"))),
  "database-read-only": async () => {
    const folder = await storedFolder();
    await appendFile(join(folder, "postgres", "postgresql.conf"), "default_transaction_read_only = on\n");
    return startAndDiagnose("database-read-only", { WXDESK_DATA_DIR: folder });
  },
  "folder-shared": async () => {
    const folder = join(await copyDataFolder(), "shared");
    await mkdir(folder);
    await chmod(folder, 0o1777);
    return startAndDiagnose("folder-shared", { WXDESK_DATA_DIR: folder });
  },
  "folder-in-use": async () => {
    const folder = await copyDataFolder();
    const first = await createApp(readConfig({ WXDESK_LOG_LEVEL: "silent", WXDESK_PORT: "0", WXDESK_DATA_DIR: folder }));
    onTestFinished(first.close);
    return start({ WXDESK_DATA_DIR: folder });
  },
  "folder-is-file": async () => {
    const folder = join(await copyDataFolder(), "file");
    await writeFile(folder, "");
    return startAndDiagnose("folder-is-file", { WXDESK_DATA_DIR: folder });
  },
  "port-in-use": async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => {
      other.close();
    });
    return start({ WXDESK_DATA_DIR: await copyDataFolder(), WXDESK_PORT: String((other.address() as AddressInfo).port) });
  },
});
