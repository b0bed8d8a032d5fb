import { request } from "node:http";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ConnectedAccount, eventually, type Gateway, look, startGateway } from "../support/gateway.ts";
import { type SignedCallback, signCallback, textXml } from "./signed-callback.ts";

/* WeChat ends a connection in the middle of things. What it does at the right moment is done by hand here, on real sockets. */

const CHATTING = { status: "chatting", turn: 0, agent_name: "Lily", msg: "" };

/** Posts a callback and waits for no answer. Returns what hangs up. */
async function call({ callbackUrl }: ConnectedAccount, { query, body }: SignedCallback): Promise<() => Promise<void>> {
  const url = new URL(callbackUrl);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return send(url, "text/xml", body);
}

/** The same for any body. */
async function send(url: URL, contentType: string, body: Buffer | string): Promise<() => Promise<void>> {
  const sending = request(url, { method: "POST", headers: { "content-type": contentType } });
  const closed = new Promise<void>((resolve) => sending.once("close", resolve));
  sending.on("error", () => {});
  await new Promise<void>((resolve) => sending.end(body, resolve));
  return async () => {
    // Closed when the gateway has closed its side too; what it is told then, it has heard before it answers the next request.
    sending.socket?.end();
    await closed;
    await fetch(new URL("/livez", url));
  };
}

async function openSession({ database }: Gateway): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.address.kind === "server" ? database.address.url : "" });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Nothing is stored until the returned function is called. */
async function holdDatabase(gateway: Gateway): Promise<() => Promise<void>> {
  const { address } = gateway.database;
  if (address.kind === "opened") {
    let letGo = () => {};
    let holding = Promise.resolve();
    await new Promise<void>((holds) => {
      holding = address.pglite.transaction(async () => {
        holds();
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
      });
    });
    return async () => {
      letGo();
      await holding;
    };
  }
  const client = await openSession(gateway);
  await client.query("BEGIN");
  await client.query("LOCK TABLE conversations");
  return async () => {
    await client.query("COMMIT");
  };
}

test("WeChat hangs up before the message is stored: nothing is lost, and the reply goes with its next try", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account", { replies: { async: false } });
  gateway.desk.setAnswer("*", CHATTING);
  // So that the account is known, and storing is what waits.
  await account.wechat.sendEvent("oBefore", "LOCATION", "", { Latitude: "23.1", Longitude: "113.3", Precision: "119" });
  const message = textXml("oA", "hello").replace("[us]", "[gh_0123456789ab]");

  const letGo = await holdDatabase(gateway);
  const hangUp = await call(account, signCallback(account.wechat, message));
  await hangUp();
  await letGo();
  await gateway.desk.waitForReceived("oA", 1);
  await gateway.desk.pushText("oA", "hi there");
  // Held, since nobody waits for it: a callback that did would have taken it.
  await eventually(
    "the reply to be held",
    () => look(gateway, account, "oA"),
    ({ conversation }) => conversation.reply.held === 1,
  );
  const answer = await account.wechat.sendXml(message);
  expect(answer).toMatchObject({ acknowledged: true, reply: { text: "hi there" } });
  const { messages } = await eventually(
    "the reply to be sent",
    () => look(gateway, account, "oA"),
    (shown) => shown.messages.at(-1)?.state === "sent",
  );
  expect(messages).toMatchObject([
    { text: "hello", state: "forwarded" },
    { text: "hi there", way: "passive" },
  ]);
  expect(gateway.desk.received("oA")).toHaveLength(1);
});

test("a desk hangs up while its push is being stored: what it pushes again, however late, is the same once more", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account", { replies: { notices: "never", passiveWaitMs: 0 } });
  await account.wechat.sendText("oA", "hello");
  const body = Buffer.from(JSON.stringify({ touser: "oA", msgtype: "text", text: { content: "Yes" } }));

  const letGo = await holdDatabase(gateway);
  const hangUp = await send(new URL(account.pushUrl), "application/json", body);
  // The gateway reads these requests after the push, so once they are answered the push waits for the database.
  for (const _again of [1, 2]) await fetch(new URL("/livez", account.pushUrl));
  await hangUp();
  await letGo();
  await gateway.wechat.waitForSeen("oA", 1);
  // An answer that counted would be older than the second in which it may be under way.
  await gateway.database.execute("UPDATE conversations SET push_answered_at = push_answered_at - interval '2 seconds'");
  expect(await gateway.desk.pushText("oA", "Yes")).toMatchObject({ status: 200 });
  await gateway.desk.pushText("oA", "then");
  await gateway.wechat.waitForSeen("oA", 2);
  expect(account.wechat.seenBy("oA").map(({ text }) => text)).toEqual(["Yes", "then"]);
  const { messages } = await look(gateway, account, "oA");
  expect(messages.filter(({ direction }) => direction === "outbound")).toMatchObject([{ text: "Yes", repetitions: 1 }, { text: "then" }]);
});

describe.runIf(process.env.TEST_DATABASE_URL)("with a second session", () => {
  test("WeChat hangs up while a reply is being taken: it is withdrawn and goes out asynchronously, once, and without a doubt", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect("official_account");
    // The emulator does not see what is sent by hand.
    account.wechat.followers.wrote("oA");
    gateway.desk.setAnswer("*", CHATTING);
    const message = textXml("oA", "hello").replace("[us]", "[gh_0123456789ab]");
    const hangUp = await call(account, signCallback(account.wechat, message));
    const { messages } = await eventually(
      "the message to be forwarded",
      () => look(gateway, account, "oA").catch(() => null),
      (shown) => shown?.messages?.[0]?.state === "forwarded",
    ).then((shown) => shown ?? { messages: [] });

    const other = await openSession(gateway);
    await other.query("BEGIN");
    // To tie the reply to the callback, its message is written on; to look at it or to store a reply, it is not.
    await other.query("SELECT FROM messages WHERE id = $1 FOR UPDATE", [messages[0]?.id]);
    await gateway.desk.pushText("oA", "hi there");
    const observer = await openSession(gateway);
    await eventually(
      "the callback to take the reply",
      () => observer.query("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"),
      ({ rowCount }) => rowCount === 1,
    );
    await hangUp();
    await other.query("COMMIT");

    expect(await gateway.wechat.waitForSeen("oA", 1)).toMatchObject([{ way: "async", text: "hi there" }]);
    const after = await eventually(
      "the reply to be sent",
      () => look(gateway, account, "oA"),
      (shown) => shown.messages.at(-1)?.state === "sent",
    );
    expect(after.messages.at(-1)).toMatchObject({ way: "async", attempts: 1 });
    // The repetition is not given it again; a later reply is seen behind it.
    const repeated = account.wechat.sendXml(message);
    await gateway.desk.pushText("oA", "and another thing");
    expect((await repeated).reply?.text).not.toBe("hi there");
    await gateway.wechat.waitForSeen("oA", 2);
    expect(account.wechat.seenBy("oA").map(({ text }) => text)).toEqual(["hi there", "and another thing"]);
  });
});
