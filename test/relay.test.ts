import { describe, expect, test } from "vitest";
import { type ConnectedAccount, eventually, type Gateway, look, type ShownConversation, startGateway } from "./support/gateway.ts";

const KINDS = ["official_account", "wecom"] as const;

/** The contact writes, and the callback is kept open because an agent is there. */
async function writeAndWait(gateway: Gateway, account: ConnectedAccount, openId: string, text: string) {
  const before = gateway.desk.received(openId).length;
  const delivery = account.wechat.sendText(openId, text);
  await gateway.desk.waitForReceived(openId, before + 1);
  return delivery;
}

const chatting = (agentName: string) => ({ status: "chatting", turn: 0, agent_name: agentName, msg: "" });
const queueing = (turn: number, msg = "") => ({ status: "queueing", turn, agent_name: "", msg });

describe.each(KINDS)("%s", (kind) => {
  test("a customer's message reaches the desk, and its notice comes back on the same callback", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect(kind);
    gateway.desk.setAnswer("*", queueing(2, "2 customers before you"));
    expect(await account.wechat.verifyUrl()).toMatchObject({ ok: true, status: 200 });

    const delivery = await account.wechat.sendText("oCustomer", "007 hello 😀 ]]> &amp;");
    expect(delivery).toMatchObject({ acknowledged: true, failed: false, reply: { type: "text", text: "2 customers before you" } });
    expect(gateway.desk.received("oCustomer")).toMatchObject([{ type: "text", text: "007 hello 😀 ]]> &amp;", repeated: false }]);

    const { conversation, messages } = await eventually(
      "the notice's state",
      () => look(gateway, account, "oCustomer"),
      (seen) => seen.messages[1]?.state === "sent",
    );
    expect(conversation).toMatchObject({ status: "queueing", turn: 2, agentName: null, notice: "2 customers before you" });
    expect(messages).toMatchObject([
      { direction: "inbound", text: "007 hello 😀 ]]> &amp;", state: "forwarded" },
      { direction: "outbound", text: "2 customers before you", state: "sent", way: "passive" },
    ]);
  });

  test("an agent's reply rides on the open callback, the next one goes out as an asynchronous message", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect(kind);
    gateway.desk.setAnswer("*", chatting("Lily"));
    const delivery = writeAndWait(gateway, account, "oCustomer", "is it in stock?");
    await gateway.desk.waitForReceived("oCustomer", 1);
    expect((await gateway.desk.pushText("oCustomer", "yes, 3 left")).status).toBe(200);
    expect((await delivery).reply).toMatchObject({ type: "text", text: "yes, 3 left" });
    expect((await gateway.desk.pushText("oCustomer", "shall I send one?")).status).toBe(200);

    const seen = await gateway.wechat.waitForSeen("oCustomer", 2);
    expect(seen).toMatchObject([
      { way: "passive", text: "yes, 3 left" },
      { way: "async", text: "shall I send one?" },
    ]);
    const { conversation, messages } = await eventually(
      "both replies' states",
      () => look(gateway, account, "oCustomer"),
      (shown) => shown.messages.filter(({ state }) => state === "sent").length === 2,
    );
    expect(conversation).toMatchObject({ status: "chatting", turn: 0, agentName: "Lily", pending: { toDesk: 0, toCustomer: 0 } });
    expect(messages.map(({ way }) => way)).toEqual([null, "passive", "async"]);
  });

  test("image, voice, video and news pass through in both ways", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect(kind);
    gateway.desk.setAnswer("*", chatting("Lily"));
    const news = {
      news: {
        articles: [
          { title: "Hours", description: "When we are open", url: "https://shop.example/hours", picurl: "https://shop.example/p.png" },
        ],
      },
    };
    const pushes: [string, Record<string, unknown>][] = [
      ["image", { image: { media_id: account.wechat.addMedia("image").id } }],
      ["voice", { voice: { media_id: account.wechat.addMedia("voice").id } }],
      ["video", { video: { media_id: account.wechat.addMedia("video").id, title: "Unboxing", description: "A film" } }],
      ["news", news],
    ];
    for (const [msgtype, content] of pushes) {
      const openId = `o-${msgtype}`;
      const body = JSON.stringify({ touser: openId, msgtype, ...content });
      const delivery = writeAndWait(gateway, account, openId, "show me");
      await gateway.desk.waitForReceived(openId, 1);
      expect((await gateway.desk.pushRaw({ contentType: "application/json", body })).status).toBe(200);
      expect((await delivery).reply).toMatchObject({ type: msgtype });
      await gateway.desk.pushRaw({
        contentType: "application/json",
        body: JSON.stringify({ touser: openId, msgtype, ...content, message_id: "second" }),
      });
      expect(await gateway.wechat.waitForSeen(openId, 2)).toMatchObject([
        { way: "passive", type: msgtype },
        { way: "async", type: msgtype },
      ]);
    }
  });

  test("every type of message reaches the desk", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect(kind);
    gateway.desk.setAnswer("*", queueing(1));
    await account.wechat.sendImage("oA");
    await account.wechat.sendVoice("oA");
    await account.wechat.sendVideo("oA");
    await account.wechat.sendLocation("oA");
    await account.wechat.sendLink("oA");
    await account.wechat.sendEvent("oA", "subscribe", "qrscene_12");
    await account.wechat.push("oA", { MsgType: "hologram", Foo: "bar", MsgId: "77" });
    expect(gateway.desk.received("oA").map(({ type }) => type)).toEqual(["image", "voice", "video", "location", "link", "event", "text"]);
    const { messages } = await look(gateway, account, "oA");
    expect(messages.at(-1)).toMatchObject({ type: "unsupported", state: "forwarded" });
  });

  test("what a customer merely does is stored and acknowledged, and goes no further", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect(kind);
    gateway.desk.setAnswer("*", queueing(1));
    const acknowledgement = kind === "wecom" ? "" : "success";
    const position = await account.wechat.sendEvent("oA", "LOCATION", "", { Latitude: "23.1", Longitude: "113.3", Precision: "119" });
    expect(position.tries).toMatchObject([{ status: 200, body: acknowledgement }]);
    await account.wechat.sendText("oA", "and this does");
    expect(gateway.desk.received("oA").map(({ text }) => text)).toEqual(["and this does"]);
    const { messages } = await look(gateway, account, "oA");
    expect(messages).toMatchObject([
      { type: "event", state: "received" },
      { type: "text", state: "forwarded" },
    ]);
  });
});

test("a redelivered callback is stored and forwarded once", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", queueing(1));
  const again = { MsgId: "9007199254740993001", CreateTime: String(Math.floor(Date.now() / 1000)) };
  await account.wechat.sendText("oA", "hello", again);
  await account.wechat.sendText("oA", "hello", again);
  await account.wechat.sendText("oA", "next");
  expect(gateway.desk.received("oA").map(({ msgId, text }) => [msgId, text])).toEqual([
    ["9007199254740993001", "hello"],
    [expect.any(String), "next"],
  ]);
});

test("a repeated callback gets the same reply again, and the customer's agent is not asked twice", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", chatting("Lily"));
  const again = { MsgId: "9007199254740993002", CreateTime: String(Math.floor(Date.now() / 1000)) };
  const first = account.wechat.sendText("oA", "hello", again);
  await gateway.desk.waitForReceived("oA", 1);
  const joined = account.wechat.sendText("oA", "hello", again);
  await gateway.desk.pushText("oA", "hi there");
  const replies = [await first, await joined, await account.wechat.sendText("oA", "hello", again)].map(({ reply }) => reply?.text);
  expect(replies).toEqual(["hi there", "hi there", "hi there"]);
  expect(gateway.desk.received("oA")).toHaveLength(1);
  const { messages } = await eventually(
    "the reply's state",
    () => look(gateway, account, "oA"),
    ({ messages: [, reply] }) => reply?.state === "sent",
  );
  expect(messages).toHaveLength(2);
});

test("a desk that is away gets every message later, in order, and once", async () => {
  const gateway = await startGateway();
  // On a busy machine the breaker opens before the third: then there would be a word about it.
  const account = await gateway.connect("official_account", { replies: { notices: "never" } });
  gateway.desk.setAnswer("*", queueing(1));
  const back = gateway.desk.misbehave({ kind: "status", status: 503 });
  for (const text of ["one", "two", "three"]) {
    expect(await account.wechat.sendText("oA", text)).toMatchObject({ acknowledged: true, failed: false, reply: null });
  }
  const { messages } = await look(gateway, account, "oA");
  expect(messages[0]).toMatchObject({ state: "retrying" });
  back();
  await gateway.desk.waitForReceived("oA", 3);
  expect(gateway.desk.received("oA").map(({ text }) => text)).toEqual(["one", "two", "three"]);
});

test("a desk that drops the connection after reading is asked again with the same id", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", queueing(1));
  gateway.desk.misbehave({ kind: "drop-after", times: 1 });
  await account.wechat.sendText("oA", "hello");
  await gateway.desk.waitForReceived("oA", 2);
  const [first, second] = gateway.desk.received("oA");
  expect(second?.msgId).toBe(first?.msgId);
  expect(second?.repeated).toBe(true);
});

test("a reply that the platform refuses for now goes out in order once it can", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", queueing(1));
  await account.wechat.sendText("oA", "hello");
  gateway.wechat.misbehave({ kind: "errcode", errcode: -1, errmsg: "system error", path: "/cgi-bin/message/custom/send", times: 2 });
  await gateway.desk.pushText("oA", "one");
  await gateway.desk.pushText("oA", "two");
  const seen = await gateway.wechat.waitForSeen("oA", 2);
  expect(seen.map(({ text }) => text)).toEqual(["one", "two"]);
});

test("a reply whose answer was lost is uncertain and not sent again; the next one is", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", queueing(1));
  await account.wechat.sendText("oA", "hello");
  gateway.wechat.misbehave({ kind: "drop-after", path: "/cgi-bin/message/custom/send", times: 1 });
  await gateway.desk.pushText("oA", "one");
  await gateway.desk.pushText("oA", "two");
  const seen = await gateway.wechat.waitForSeen("oA", ({ text }) => text === "two");
  expect(seen.map(({ text }) => text)).toEqual(["one", "two"]);
  const { messages } = await eventually(
    "both replies' states",
    () => look(gateway, account, "oA"),
    (shown) => shown.messages.at(-1)?.state === "sent",
  );
  expect(messages.slice(1)).toMatchObject([
    { text: "one", state: "uncertain" },
    { text: "two", state: "sent" },
  ]);
});

test("many replies at once fetch one access token, and an ended token is replaced once", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", queueing(1));
  const contacts = Array.from({ length: 20 }, (_, index) => `oContact${index}`);
  for (const openId of contacts) await account.wechat.sendText(openId, "hello");
  const pushAll = async (text: string, count: number) => {
    await Promise.all(contacts.map((openId) => gateway.desk.pushText(openId, text)));
    await Promise.all(contacts.map((openId) => gateway.wechat.waitForSeen(openId, count)));
  };
  await pushAll("one", 1);
  expect(gateway.wechat.calls("/cgi-bin/stable_token")).toBe(1);
  gateway.wechat.expireTokens();
  await pushAll("two", 2);
  expect(gateway.wechat.calls("/cgi-bin/stable_token")).toBe(2);
  for (const openId of contacts) expect(gateway.wechat.seenBy(account.wechat, openId).map(({ text }) => text)).toEqual(["one", "two"]);
});

test("a long reply leaves in whole characters, its beginning on the callback and the rest behind it", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", chatting("Lily"));
  const text = Array.from({ length: 120 }, (_, index) => `第${index}行：这里有一些文字😀。`).join("\n");
  const delivery = writeAndWait(gateway, account, "oA", "tell me everything");
  await gateway.desk.waitForReceived("oA", 1);
  await gateway.desk.pushText("oA", text);
  await delivery;
  const seen = await eventually(
    "the whole text",
    async () => gateway.wechat.seenBy(account.wechat, "oA"),
    (parts) => parts.map((part) => part.text).join("").length >= text.length,
  );
  expect(seen.map((part) => part.text).join("")).toBe(text);
  expect(seen[0]?.way).toBe("passive");
  expect(Buffer.byteLength(seen[0]?.text ?? "")).toBeLessThanOrEqual(1_800);
  for (const part of seen.slice(1)) expect(Buffer.byteLength(part.text ?? "")).toBeLessThanOrEqual(2_048);
});

test("with asynchronous messages off, a late reply is held and goes out with the customer's next message", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account", { replies: { async: false, passiveWaitMs: 1_000 } });
  gateway.desk.setAnswer("*", queueing(1));
  await account.wechat.sendText("oA", "hello");
  await gateway.desk.pushText("oA", "sorry, I was away");
  const { conversation } = await eventually(
    "the reply to be held",
    () => look(gateway, account, "oA"),
    (shown) => shown.messages.at(-1)?.state === "held",
  );
  expect(conversation.reply).toMatchObject({ held: 1 });
  const delivery = await account.wechat.sendText("oA", "anybody there?");
  expect(delivery.reply).toMatchObject({ text: "sorry, I was away" });
});

test("notices go out as the account wants them", async () => {
  const gateway = await startGateway();
  const never = await gateway.connect("official_account", { id: "never", replies: { notices: "never" } });
  const always = await gateway.connect("official_account", {
    id: "always",
    wechat: { appId: "wx00000000000000aa" },
    replies: { notices: "always" },
  });
  gateway.desk.setAnswer("*", queueing(3, "3 before you"));
  for (let round = 0; round < 2; round++) {
    expect((await never.wechat.sendText("oNever", `m${round}`)).reply).toBeNull();
    expect((await always.wechat.sendText("oAlways", `m${round}`)).reply).toMatchObject({ text: "3 before you" });
  }
});

test("a notice that the desk wrote for a web page reaches the customer as text", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", queueing(3, '<p>3 before you&hellip;</p><a href="https://x.cn/faq">Read on</a>'));
  const delivery = await account.wechat.sendText("oA", "hello");
  expect(delivery.reply).toMatchObject({ text: "3 before you…\nRead on (https://x.cn/faq)" });
});

test("an agent's status push changes the conversation and says nothing to the customer", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", queueing(1));
  await account.wechat.sendText("oA", "hello");
  const body = JSON.stringify({ touser: "oA", msgtype: "text", text: { content: "hi" }, status: "chatting", turn: 0, agent_name: "Lily" });
  await gateway.desk.pushRaw({ contentType: "application/json", body });
  await gateway.wechat.waitForSeen("oA", 1);
  const { conversation } = await look(gateway, account, "oA");
  expect(conversation).toMatchObject({ status: "chatting", turn: 0, agentName: "Lily" });
});

test("held replies leave together with the customer's next message, as many as fit, and in order", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account", { replies: { async: false, passiveWaitMs: 1_000 } });
  gateway.desk.setAnswer("*", queueing(1));
  await account.wechat.sendText("oA", "hello");
  const long = "很长".repeat(298);
  for (const text of ["one", "two 😀", long, "three"]) await gateway.desk.pushText("oA", text);
  await eventually(
    "all four to be held",
    () => look(gateway, account, "oA"),
    ({ conversation }) => conversation.reply.held === 4,
  );
  expect((await account.wechat.sendText("oA", "still there?")).reply?.text).toBe("one\ntwo 😀");
  expect((await account.wechat.sendText("oA", "and now?")).reply?.text).toBe(`${long}\nthree`);
  const { messages, conversation } = await eventually(
    "all four to be sent",
    () => look(gateway, account, "oA"),
    (shown) => shown.messages.filter(({ state }) => state === "sent").length === 4,
  );
  expect(messages.filter(({ direction }) => direction === "outbound").map(({ way }) => way)).toEqual(Array(4).fill("passive"));
  expect(conversation.pending.toCustomer).toBe(0);
});

test("an account that may not send gets its replies through all the same, one callback later", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account", { replies: { passiveWaitMs: 0 } });
  account.wechat.maySend = false;
  gateway.desk.setAnswer("*", queueing(1));
  await account.wechat.sendText("oA", "hello");
  await gateway.desk.pushText("oA", "one");
  await gateway.desk.pushText("oA", "two");
  const { messages } = await eventually(
    "both to be held",
    () => look(gateway, account, "oA"),
    ({ conversation }) => conversation.reply.held === 2,
  );
  expect(messages.at(-1)).toMatchObject({ state: "held", errorCode: "48001", way: null });
  expect((await gateway.api("GET", `/accounts/${account.id}`)).body).toMatchObject({
    warning: { code: "48001", sentence: expect.stringContaining("48001") },
  });
  expect((await account.wechat.sendText("oA", "hello?")).reply?.text).toBe("one\ntwo");

  account.wechat.maySend = true;
  await gateway.desk.pushText("oA", "three");
  await gateway.wechat.waitForSeen("oA", ({ text }) => text === "three");
  await eventually(
    "the warning to go",
    () => gateway.api<{ warning: unknown }>("GET", `/accounts/${account.id}`),
    ({ body }) => body.warning === null,
  );
});

test.each([
  [45015, { ways: [], held: 1 }, (reply: ShownConversation["reply"]) => Date.parse(reply.windowClosesAt ?? "") <= Date.now()],
  [45047, { ways: [], held: 1, remaining: 0 }, (reply: ShownConversation["reply"]) => Date.parse(reply.windowClosesAt ?? "") > Date.now()],
])("what WeChat says of window and quota goes above our own count: %i", async (errcode, shown, isRight) => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account", { replies: { passiveWaitMs: 0 } });
  gateway.desk.setAnswer("*", queueing(1));
  await account.wechat.sendText("oA", "hello");
  gateway.wechat.misbehave({ kind: "errcode", errcode, errmsg: "", path: "/cgi-bin/message/custom/send", times: 1 });
  await gateway.desk.pushText("oA", "one");
  const { conversation } = await eventually(
    "it to be held",
    () => look(gateway, account, "oA"),
    (seen) => seen.conversation.reply.held === 1,
  );
  expect(conversation.reply).toMatchObject(shown);
  expect(isRight(conversation.reply)).toBe(true);
  expect((await account.wechat.sendText("oA", "hello?")).reply?.text).toBe("one");
  expect((await look(gateway, account, "oA")).conversation.reply).toMatchObject({ ways: ["async"], remaining: 5 });
});

test("without asynchronous messages, WeChat's three tries are one long window, and the customer never reads that nobody is there", async () => {
  const gateway = await startGateway({ wechat: { callbackTimeoutMs: 5_000 } });
  const account = await gateway.connect("official_account", { replies: { async: false } });
  gateway.desk.setAnswer("*", queueing(1));
  const delivery = await account.wechat.sendText("oA", "hello");
  expect(delivery).toMatchObject({ acknowledged: true, failed: false, reply: null });
  expect(delivery.tries.map(({ status }) => status)).toEqual([null, null, 200]);
  expect(gateway.desk.received("oA")).toHaveLength(1);
});

test("without asynchronous messages, a reply that comes during WeChat's second try is the answer to that try, and is seen once", async () => {
  const gateway = await startGateway({ wechat: { callbackTimeoutMs: 1_500 } });
  const account = await gateway.connect("official_account", { replies: { async: false } });
  gateway.desk.setAnswer("*", chatting("Lily"));
  const writing = account.wechat.sendText("oA", "hello");
  await gateway.desk.waitForReceived("oA", 1);
  await eventually(
    "WeChat's second try",
    async () => gateway.wechat.callbacks(),
    (count) => count === 2,
  );
  await gateway.desk.pushText("oA", "hi there");
  const delivery = await writing;
  expect(delivery).toMatchObject({ acknowledged: true, failed: false, reply: { text: "hi there" } });
  expect(delivery.tries.map(({ status }) => status)).toEqual([null, 200]);
  const { messages } = await eventually(
    "the reply's state",
    () => look(gateway, account, "oA"),
    (shown) => shown.messages.at(-1)?.state === "sent",
  );
  expect(messages).toMatchObject([{ state: "forwarded" }, { text: "hi there", way: "passive" }]);
  expect(account.wechat.seenBy("oA").map(({ way, text }) => [way, text])).toEqual([["passive", "hi there"]]);
  expect(gateway.desk.received("oA")).toHaveLength(1);
});
