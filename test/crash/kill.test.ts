import { expect, test } from "vitest";
import { SAMPLES } from "../../src/emulators/wechat-samples.ts";
import { eventually } from "../support/gateway.ts";
import { createRandom } from "../support/random.ts";
import { prepareDataFolder, type Stage, startStage } from "./stage.ts";

prepareDataFolder();

const QUEUEING = { status: "queueing", turn: 1, agent_name: "", msg: "" };
const CHATTING = { status: "chatting", turn: 0, agent_name: "Lily", msg: "" };
const SEND = "/cgi-bin/message/custom/send";

/** A retry may have waited for some seconds when the gateway is back. */
const BACK_MS = 60_000;

const sent = (stage: Stage, openId: string) => stage.account.wechat.seenBy(openId).map(({ way, text }) => ({ way, text }));

/** Elements that let the same message be pushed again. */
const message = (id: number) => ({ MsgId: `90071992547409930${id}`, CreateTime: String(Math.floor(Date.now() / 1000)) });

test("killed while the desk holds the request: the acknowledged message is handed over again, with the same id", async () => {
  const stage = await startStage({ account: { replies: { passiveWaitMs: 0 } } });
  stage.desk.setAnswer("*", QUEUEING);
  const release = stage.desk.misbehave({ kind: "late", ms: 60_000 });
  expect(await stage.account.wechat.sendText("oA", "hello")).toMatchObject({ acknowledged: true });
  await stage.desk.waitForReceived("oA", 1);
  await stage.gateway.kill();
  release();
  await stage.restart();

  const [first, second] = await stage.desk.waitForReceived("oA", 2, BACK_MS);
  expect(second).toMatchObject({ msgId: first?.msgId, text: "hello", repeated: true });
  const { conversation, messages } = await eventually(
    "the message to be forwarded",
    () => stage.look("oA"),
    (shown) => shown.messages[0]?.state === "forwarded",
  );
  expect(messages).toHaveLength(1);
  expect(conversation).toMatchObject({ status: "queueing", pending: { toDesk: 0 } });
});

test("killed with a queue for a desk that is away: every acknowledged message reaches it, in order and once", async () => {
  const stage = await startStage();
  stage.desk.setAnswer("*", QUEUEING);
  const back = stage.desk.misbehave({ kind: "status", status: 503 });
  const contacts = ["oA", "oB", "oC", "oD"];
  for (const text of ["one", "two", "three"]) {
    const deliveries = await Promise.all(contacts.map((openId) => stage.account.wechat.sendText(openId, text)));
    for (const delivery of deliveries) expect(delivery).toMatchObject({ acknowledged: true, failed: false });
  }
  await stage.gateway.kill();
  back();
  await stage.restart();

  for (const openId of contacts) {
    const received = await stage.desk.waitForReceived(openId, 3, BACK_MS);
    expect(received.map(({ text }) => text)).toEqual(["one", "two", "three"]);
  }
});

test("killed while a callback waits for the agent: WeChat's next try gets the reply, and the desk is not asked again", async () => {
  const stage = await startStage();
  stage.desk.setAnswer("*", CHATTING);
  const same = message(1);
  const cut = stage.account.wechat.sendText("oA", "is it in stock?", same);
  await stage.desk.waitForReceived("oA", 1);
  await eventually(
    "the desk's answer to be stored",
    () => stage.look("oA"),
    ({ messages }) => messages[0]?.state === "forwarded",
  );
  await stage.gateway.kill();
  expect(await cut).toMatchObject({ acknowledged: false });
  await stage.restart();

  const again = stage.account.wechat.sendText("oA", "is it in stock?", same);
  await eventually(
    "the callback to be open",
    () => stage.look("oA"),
    ({ conversation }) => conversation.reply.ways.includes("passive"),
  );
  expect((await stage.desk.pushText("oA", "yes, 3 left")).status).toBe(200);
  expect((await again).reply).toMatchObject({ text: "yes, 3 left" });
  expect((await stage.desk.pushText("oA", "shall I send one?")).status).toBe(200);
  await stage.wechat.waitForSeen("oA", ({ text }) => text === "shall I send one?");
  expect(sent(stage, "oA").filter(({ text }) => text?.includes("left"))).toEqual([{ way: "passive", text: "yes, 3 left" }]);
  expect(stage.desk.received("oA")).toHaveLength(1);
});

test("killed while media whose id WeChat refused are uploaded again: they arrive, once", async () => {
  const upload = "/cgi-bin/media/upload";
  const account = { replies: { passiveWaitMs: 0, notices: "never" } };
  const stage = await startStage({ account, environment: { WXDESK_MEDIA_ALLOW_NETWORKS: "127.0.0.0/8" } });
  await stage.account.wechat.sendText("oA", "hello");
  stage.wechat.misbehave({ kind: "errcode", errcode: 40007, errmsg: "invalid media_id", path: SEND, times: 1 });
  await stage.desk.pushMedia("oA", { type: "image", url: stage.desk.addMedia(SAMPLES.image) });
  await expect.poll(() => stage.wechat.calls(SEND), { timeout: BACK_MS }).toBe(1);
  const release = stage.wechat.misbehave({ kind: "late", ms: 60_000, path: upload });
  await expect.poll(() => stage.wechat.calls(upload), { timeout: BACK_MS }).toBe(2);
  await stage.gateway.kill();
  release();
  await stage.restart();

  await stage.wechat.waitForSeen("oA", 1, BACK_MS);
  const { messages } = await eventually(
    "the picture to be sent",
    () => stage.look("oA"),
    (shown) => shown.messages[1]?.state === "sent",
  );
  expect(messages).toMatchObject([{ text: "hello" }, { type: "image", state: "sent" }]);
  expect(stage.wechat.calls(SEND)).toBe(2);
});

test("killed while WeChat refuses for now: the acknowledged reply reaches the customer once", async () => {
  const stage = await startStage();
  stage.desk.setAnswer("*", QUEUEING);
  await stage.account.wechat.sendText("oA", "hello");
  const back = stage.wechat.misbehave({ kind: "status", status: 503, path: SEND });
  expect((await stage.desk.pushText("oA", "one")).status).toBe(200);
  expect((await stage.desk.pushText("oA", "two")).status).toBe(200);
  await eventually(
    "a try of the first reply",
    () => stage.look("oA"),
    ({ messages }) => messages[1]?.state === "retrying",
  );
  await stage.gateway.kill();
  back();
  await stage.restart();

  await stage.wechat.waitForSeen("oA", 2, BACK_MS);
  const { messages } = await eventually(
    "both replies to be sent",
    () => stage.look("oA"),
    (shown) => shown.messages.slice(1).every(({ state }) => state === "sent"),
  );
  expect(messages).toHaveLength(3);
  expect(sent(stage, "oA").map(({ text }) => text)).toEqual(["one", "two"]);
});

test("killed while a reply was being sent: it is uncertain and not sent again, and the next one goes out", async () => {
  const stage = await startStage();
  stage.desk.setAnswer("*", QUEUEING);
  await stage.account.wechat.sendText("oA", "hello");
  const back = stage.wechat.misbehave({ kind: "late", ms: 60_000, path: SEND });
  expect((await stage.desk.pushText("oA", "one")).status).toBe(200);
  expect((await stage.desk.pushText("oA", "two")).status).toBe(200);
  await stage.wechat.waitForSeen("oA", 1);
  await stage.gateway.kill();
  back();
  await stage.restart();

  const { messages } = await eventually(
    "the second reply to be sent",
    () => stage.look("oA"),
    (shown) => shown.messages[2]?.state === "sent",
    BACK_MS,
  );
  expect(messages[1]).toMatchObject({
    text: "one",
    state: "uncertain",
    error: expect.stringContaining("stopped while this was being sent"),
  });
  expect(sent(stage, "oA").map(({ text }) => text)).toEqual(["one", "two"]);
});

const CONTACTS = 6;
const MESSAGES_EACH = 10;
const KILLS = 4;

test("killed again and again in a stream of messages and replies: nothing acknowledged is lost, doubled or out of order", async () => {
  const random = createRandom(20_261_122);
  const stage = await startStage({
    wechat: { callbackTimeoutMs: 1_000 },
    account: { replies: { passiveWaitMs: 200 } },
  });
  const contacts = Array.from({ length: CONTACTS }, (_, index) => `oContact${index}`);
  // Half of them have an agent, so their callbacks stay open for the reply.
  for (const [index, openId] of contacts.entries()) stage.desk.setAnswer(openId, index % 2 === 0 ? QUEUEING : CHATTING);
  let isBack = Promise.resolve();
  let isOver = false;

  const untilTrue = async (act: () => Promise<boolean>) => {
    while (!(await act())) await isBack;
  };
  const converse = async (openId: string, contact: number) => {
    for (let number = 0; number < MESSAGES_EACH; number++) {
      const same = message(contact * MESSAGES_EACH + number + 100);
      await untilTrue(async () => (await stage.account.wechat.sendText(openId, `${number}`, same)).acknowledged);
      const messageId = `${openId}-${number}`;
      await untilTrue(async () => (await stage.desk.pushText(openId, `re ${number}`, { messageId })).status === 200);
    }
  };
  const traffic = () => stage.desk.calls() + stage.wechat.calls();
  const spoil = async () => {
    for (let kill = 1; kill <= KILLS; kill++) {
      const before = traffic();
      const after = 8 + Math.floor(random() * 14);
      await eventually(
        "traffic between two kills",
        async () => traffic(),
        (count) => isOver || count >= before + after,
      );
      await stage.gateway.kill();
      isBack = stage.restart();
      await isBack;
    }
  };
  const spoiling = spoil();
  await Promise.all(contacts.map(converse));
  isOver = true;
  await spoiling;

  for (const openId of contacts) {
    const { messages } = await eventually(
      `the work for ${openId} to be done`,
      () => stage.look(openId),
      ({ conversation: { pending } }) => pending.toDesk === 0 && pending.toCustomer === 0,
      BACK_MS,
    );
    const said = Array.from({ length: MESSAGES_EACH }, (_, number) => String(number));
    const received = stage.desk.received(openId);
    expect(received.filter(({ repeated }) => !repeated).map(({ text }) => text)).toEqual(said);
    for (const { text, msgId } of received) expect(msgId).toBe(received.find((other) => other.text === text)?.msgId);

    const replies = messages.filter(({ direction }) => direction === "outbound");
    expect(replies.map(({ text }) => text)).toEqual(said.map((number) => `re ${number}`));
    const shown = sent(stage, openId).flatMap(({ text }) => (text?.startsWith("re ") ? [text] : []));
    for (const { text, state } of replies) {
      const times = shown.filter((other) => other === text).length;
      expect({ text, state, times }).toEqual(
        state === "uncertain" ? { text, state, times: times === 0 ? 0 : 1 } : { text, state: "sent", times: 1 },
      );
    }
    expect(shown).toEqual([...shown].sort((a, b) => Number(a.slice(3)) - Number(b.slice(3))));
  }
});
