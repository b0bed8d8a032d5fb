import { randomBytes } from "node:crypto";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { type App, createApp } from "../../src/app/app.ts";
import { readConfig } from "../../src/config.ts";
import { startDesk } from "../../src/emulators/desk.ts";
import { startWechat } from "../../src/emulators/wechat.ts";
import { openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrate.ts";
import { createTestDatabase } from "../support/database.ts";
import { type AccountChange, ADMIN_KEY, callApi, connect, DESK_KEY, eventually, type Gateway, look, PATIENT } from "../support/gateway.ts";

const serverUrl = process.env.TEST_DATABASE_URL;

const QUEUEING = { status: "queueing", turn: 1, agent_name: "", msg: "" };
const CHATTING = { status: "chatting", turn: 0, agent_name: "Lily", msg: "" };

interface Replica {
  app: App;
  callbackUrl: string;
  pushUrl: string;
}

/** Several gateways on one server's database, with one WeChat and one desk around them. */
async function startReplicas(count: number, change: AccountChange = {}) {
  const database = await createTestDatabase();
  const [wechat, desk] = [await startWechat(PATIENT), await startDesk({ key: DESK_KEY })];
  const environment = { WXDESK_PORT: "0", WXDESK_LOG_LEVEL: "silent", WXDESK_ADMIN_KEY: ADMIN_KEY };
  const config = readConfig({ ...environment, WXDESK_MASTER_KEY: randomBytes(32).toString("base64") });
  const start = async () => {
    const app = await createApp(config, { database: database.address, pauseMs: () => 50, pollMs: 50, pushAnswerMs: 60_000 });
    await app.listen();
    return app;
  };
  const apps = await Promise.all(Array.from({ length: count }, start));
  const running = new Set(apps);
  onTestFinished(async () => {
    await Promise.all([...running].map((app) => app.close()));
    await Promise.all([wechat.close(), desk.close()]);
    await database.drop();
  });
  const last = apps.at(-1)?.address ?? "";
  const api: Gateway["api"] = (method, path, body, key = ADMIN_KEY) => callApi(last, method, path, body, key);
  const account = await connect({ api, wechat, desk }, "official_account", change);
  account.wechat.limitsSends = false;
  const at = (url: string, app: App) => app.address + new URL(url).pathname;
  const replicas: Replica[] = apps.map((app) => ({ app, callbackUrl: at(account.callbackUrl, app), pushUrl: at(account.pushUrl, app) }));
  const replica = (index: number): Replica => {
    const found = replicas[index % replicas.length];
    if (found === undefined) throw new Error("there are no replicas");
    return found;
  };

  return {
    wechat,
    desk,
    account,
    closeReplica: (index: number) => {
      const { app } = replica(index);
      running.delete(app);
      return app.close();
    },
    look: (openId: string) => look({ api }, account, openId),
    /** A customer's act that reaches the replica with this number, as a load balancer would have it. */
    write: (index: number, openId: string, text: string, extra?: Record<string, string>) => {
      account.wechat.callbackUrl = replica(index).callbackUrl;
      return account.wechat.sendText(openId, text, extra);
    },
    push: (index: number, openId: string, text: string, messageId?: string) => {
      desk.connectPush(replica(index).pushUrl);
      return desk.pushText(openId, text, messageId === undefined ? {} : { messageId });
    },
    seen: (openId: string) => account.wechat.seenBy(openId).map(({ way, text }) => ({ way, text })),
  };
}

const numbers = (count: number) => Array.from({ length: count }, (_, number) => String(number));

describe.runIf(serverUrl)("replicas on one database", () => {
  test("messages of one customer that are spread over replicas reach the desk in order and once", async () => {
    const { desk, write, look } = await startReplicas(3);
    desk.setAnswer("*", QUEUEING);
    for (const [index, text] of numbers(30).entries()) expect(await write(index, "oA", text)).toMatchObject({ acknowledged: true });
    const received = await desk.waitForReceived("oA", 30);
    expect(received.map(({ text }) => text)).toEqual(numbers(30));
    const { conversation } = await eventually(
      "the work to be done",
      () => look("oA"),
      ({ conversation: { pending } }) => pending.toDesk === 0,
    );
    expect(conversation.pending).toEqual({ toDesk: 0, toCustomer: 0, dead: 0, failed: 0, uncertain: 0 });
  });

  test("a push at one replica rides on the callback that another one holds open, and is seen once", async () => {
    const { desk, wechat, write, push, seen, look } = await startReplicas(2);
    desk.setAnswer("*", CHATTING);
    const delivery = write(0, "oA", "is it in stock?");
    await desk.waitForReceived("oA", 1);
    expect((await push(1, "oA", "yes, 3 left")).status).toBe(200);
    expect((await delivery).reply).toMatchObject({ text: "yes, 3 left" });
    expect((await push(1, "oA", "shall I send one?")).status).toBe(200);
    await wechat.waitForSeen("oA", 2);
    await eventually(
      "both replies to be sent",
      () => look("oA"),
      ({ messages }) => messages.filter(({ state }) => state === "sent").length === 2,
    );
    expect(seen("oA")).toEqual([
      { way: "passive", text: "yes, 3 left" },
      { way: "async", text: "shall I send one?" },
    ]);
  });

  test("WeChat's retry at another replica gets the same reply, during the first try and after it", async () => {
    const { desk, write, push, seen, look } = await startReplicas(2);
    desk.setAnswer("*", CHATTING);
    const same = { MsgId: "9007199254740993007", CreateTime: String(Math.floor(Date.now() / 1000)) };
    const first = write(0, "oA", "hello", same);
    await desk.waitForReceived("oA", 1);
    const joined = write(1, "oA", "hello", same);
    await push(1, "oA", "hi there");
    expect((await first).reply).toMatchObject({ text: "hi there" });
    expect((await joined).reply).toMatchObject({ text: "hi there" });
    expect((await write(1, "oA", "hello", same)).reply).toMatchObject({ text: "hi there" });
    expect(desk.received("oA")).toHaveLength(1);
    const { messages } = await eventually(
      "the reply to be sent",
      () => look("oA"),
      (shown) => shown.messages[1]?.state === "sent",
    );
    expect(messages).toHaveLength(2);
    expect(seen("oA").every(({ way }) => way === "passive")).toBe(true);
  });

  test("many replies at two replicas at once fetch one access token in all", async () => {
    const { desk, wechat, write, push, seen } = await startReplicas(2);
    desk.setAnswer("*", QUEUEING);
    const contacts = numbers(20).map((number) => `oContact${number}`);
    await Promise.all(contacts.map((openId, index) => write(index, openId, "hello")));
    await Promise.all(contacts.map((openId, index) => push(index, openId, "hi there")));
    await Promise.all(contacts.map((openId) => wechat.waitForSeen(openId, 1)));
    expect(wechat.calls("/cgi-bin/stable_token")).toBe(1);
    for (const openId of contacts) expect(seen(openId)).toEqual([{ way: "async", text: "hi there" }]);
  });

  test("ten conversations with twenty messages and replies each pass both replicas' workers in order and once", async () => {
    const { desk, write, push, seen, look } = await startReplicas(2, { replies: { passiveWaitMs: 100 } });
    desk.setAnswer("*", QUEUEING);
    const contacts = numbers(10).map((number) => `oContact${number}`);
    await Promise.all(
      contacts.map(async (openId, contact) => {
        for (const [index, text] of numbers(20).entries()) {
          expect(await write(contact + index, openId, text)).toMatchObject({ acknowledged: true });
          expect((await push(contact + index + 1, openId, `re ${text}`, `${openId}-${index}`)).status).toBe(200);
        }
      }),
    );
    for (const openId of contacts) {
      const { messages, conversation } = await eventually(
        `the work for ${openId} to be done`,
        () => look(openId),
        ({ conversation: { pending } }) => pending.toDesk === 0 && pending.toCustomer === 0,
      );
      expect(desk.received(openId).map(({ text }) => text)).toEqual(numbers(20));
      expect(seen(openId).map(({ text }) => text)).toEqual(numbers(20).map((number) => `re ${number}`));
      expect(new Set(messages.map(({ state }) => state))).toEqual(new Set(["forwarded", "sent"]));
      expect(conversation.pending.dead).toBe(0);
    }
  });

  test("a replica that is closed in mid-stream loses nothing", async () => {
    const { desk, write, push, seen, look, closeReplica } = await startReplicas(2, { replies: { passiveWaitMs: 100 } });
    desk.setAnswer("*", QUEUEING);
    desk.misbehave({ kind: "late", ms: 20 });
    const contacts = numbers(8).map((number) => `oContact${number}`);
    let closing: Promise<void> | undefined;
    await Promise.all(
      contacts.map(async (openId) => {
        for (const [index, text] of numbers(10).entries()) {
          if (index === 4) closing ??= closeReplica(0);
          // Refused by the one that closes, taken by the other: the load balancer's next choice.
          const same = { MsgId: `9${openId.slice(8)}0071992547409${index}`, CreateTime: String(Math.floor(Date.now() / 1000)) };
          const { acknowledged } = await write(closing === undefined ? index : 1, openId, text, same);
          if (!acknowledged) expect(await write(1, openId, text, same)).toMatchObject({ acknowledged: true });
          const pushed = await push(closing === undefined ? index : 1, openId, `re ${text}`, `${openId}-${index}`);
          if (pushed.status !== 200) expect((await push(1, openId, `re ${text}`, `${openId}-${index}`)).status).toBe(200);
        }
      }),
    );
    await closing;
    for (const openId of contacts) {
      const { messages } = await eventually(
        `the work for ${openId} to be done`,
        () => look(openId),
        ({ conversation: { pending } }) => pending.toDesk === 0 && pending.toCustomer === 0,
      );
      expect(new Set(messages.map(({ state }) => state))).toEqual(new Set(["forwarded", "sent"]));
      const fresh = desk.received(openId).filter(({ repeated }) => !repeated);
      expect(fresh.map(({ text }) => text)).toEqual(numbers(10));
      expect(seen(openId).flatMap(({ text }) => (text?.startsWith("re ") ? [text] : []))).toEqual(
        numbers(10).map((number) => `re ${number}`),
      );
    }
  });

  test("three processes that migrate one empty database at once apply each migration once", async () => {
    const name = `wxdesk_test_${randomBytes(6).toString("hex")}`;
    await asAdmin(`CREATE DATABASE ${name}`);
    onTestFinished(() => asAdmin(`DROP DATABASE ${name} WITH (FORCE)`));
    const url = new URL(serverUrl ?? "");
    url.pathname = `/${name}`;
    const databases = await Promise.all(numbers(3).map(() => openDatabase({ kind: "server", url: url.href })));
    const applied = await Promise.all(databases.map((database) => migrate(database)));
    const names = applied.flat();
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names).size).toBe(names.length);
    expect(applied.filter((list) => list.length === 0)).toHaveLength(2);
    await Promise.all(databases.map((database) => database.close()));
  });
});

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
