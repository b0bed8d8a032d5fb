import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import type { LoopbackAnswer } from "../../src/emulators/loopback-answer.ts";
import type { EmulatedAccount } from "../../src/emulators/wechat.ts";
import { type ConnectedAccount, DESK_KEY, eventually, look, type OpenGateway, openGateway, startGateway } from "../support/gateway.ts";
import { pushAndLeave } from "../support/push-and-leave.ts";
import { describeMistakes } from "./expect-said.ts";

const lines: string[] = [];
let gateway: OpenGateway;
/** How far WeChat's clock is ahead of the gateway's. */
let aheadMs = 0;
let count = 0;

beforeAll(async () => {
  gateway = await openGateway({
    environment: { WXDESK_LOG_LEVEL: "info" },
    logTo: { write: (line) => void lines.push(line) },
    wechat: { now: () => new Date(Date.now() + aheadMs), tries: 1 },
  });
});
afterAll(() => gateway.close());

/** The log's code and detail for callbacks and pushes that are not stored during `act`. */
async function logOf(act: () => Promise<unknown>): Promise<string> {
  lines.length = 0;
  await act();
  const refused = () =>
    lines.map((line) => JSON.parse(line)).filter(({ msg, detail }) => /^(callback|push)\./.test(msg) && detail !== undefined);
  const found = await eventually(
    "a refusal in the log",
    async () => refused(),
    (all) => all.length > 0,
  );
  return found.map(({ code, detail }) => `${code}: ${detail}`).join("\n");
}

async function connected(change: Parameters<OpenGateway["connect"]>[1] = {}): Promise<ConnectedAccount> {
  count += 1;
  return gateway.connect("official_account", { id: `shop-${count}`, ...change });
}

/** An account that is not at WeChat what the gateway was told; its customer writes. */
async function logOfText(change: (wechat: EmulatedAccount) => void, { wechat }: { wechat: EmulatedAccount }): Promise<string> {
  change(wechat);
  return logOf(() => wechat.sendText("oA", "hello"));
}

const PUSH = JSON.stringify({ touser: "oA", msgtype: "text", text: { content: "hello" } });

async function push(url: string, body = PUSH): Promise<void> {
  await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
}

describeMistakes("callbacks", {
  "token-wrong": async () =>
    logOfText(
      (wechat) => {
        wechat.details.token = "anotherToken";
      },
      await connected(),
    ),
  "token-wrong-wecom": async () =>
    logOfText(
      (wechat) => {
        wechat.details.token = "anotherToken";
      },
      await gateway.connect("wecom"),
    ),
  "aes-key-wrong": async () =>
    logOfText(
      (wechat) => {
        wechat.details.encodingAesKey = "A".repeat(43);
      },
      await connected(),
    ),
  "receiver-wrong": async () =>
    logOfText(
      (wechat) => {
        if (wechat.details.kind === "official_account") wechat.details.appId = "wxffffffffffffffff";
      },
      await connected(),
    ),
  "plain-against-safe": async () =>
    logOfText(
      (wechat) => {
        if (wechat.details.kind === "official_account") wechat.details.encryption = "plain";
      },
      await connected(),
    ),
  "safe-without-key": async () => {
    const document = {
      id: "plain",
      name: "Plain",
      kind: "official_account",
      wechat: { appId: "wx00000000000000ab", appSecret: "app-secret", token: "tok3nForTests", encryption: "plain" },
      desk: { protocol: "udesk-message-interface", url: gateway.desk.url, key: DESK_KEY },
    };
    const { body } = await gateway.api<{ callbackUrl: string }>("POST", "/accounts", document);
    const { wechat } = await connected();
    return logOfText(
      () => {
        wechat.callbackUrl = body.callbackUrl;
      },
      { wechat },
    );
  },
  "clock-off": async () => {
    aheadMs = -700_000;
    const text = await logOfText(() => {}, await connected());
    aheadMs = 0;
    return text;
  },
  overloaded: async () => {
    const told: string[] = [];
    const small = await startGateway({
      environment: { WXDESK_LOG_LEVEL: "warn", WXDESK_OPEN_CALLBACKS_MAX: "1" },
      logTo: { write: (line) => void told.push(line) },
      wechat: { tries: 1 },
    });
    const { wechat } = await small.connect("official_account");
    await Promise.all(["oA", "oB", "oC", "oD", "oE", "oF"].map((openId) => wechat.sendText(openId, "hello")));
    const text = await eventually(
      "the line in the log",
      async () => told.join(""),
      (lines) => lines.includes("gateway.overloaded"),
    );
    return text;
  },
  "push-token-wrong": async () => {
    const { pushUrl } = await connected();
    return logOf(() => push(pushUrl.replace(/[^/]+$/, "guessed")));
  },
  "push-sign-wrong": async () => {
    const { pushUrl } = await connected();
    return logOf(() => push(`${pushUrl}?number=&email=&timestamp=20260131020304&sign=${"0".repeat(32)}`));
  },
  "push-sign-missing": async () => {
    const { pushUrl } = await connected({ desk: { requireSign: true } });
    return logOf(() => push(pushUrl));
  },
  "push-abandoned": async () => {
    const { pushUrl } = await connected();
    return logOf(() => pushAndLeave(pushUrl, PUSH));
  },
  "push-repeated": async () => {
    const { pushUrl } = await connected();
    const withId = PUSH.replace("{", '{"message_id":"m1",');
    return logOf(async () => {
      await push(pushUrl, withId);
      await push(pushUrl, withId);
    });
  },
});

async function rotate(id: string, name: string, overlapSeconds: number): Promise<void> {
  const value = name === "deskKey" ? { value: "the-new-desk-key-0123456789" } : {};
  expect((await gateway.api("POST", `/accounts/${id}/secrets/${name}`, { ...value, overlapSeconds })).status).toBe(200);
}

describeMistakes("rotation", {
  "callback-token-revoked": async () => {
    const account = await connected();
    await rotate(account.id, "token", 3_600);
    expect(await account.wechat.verifyUrl()).toMatchObject({ ok: true });
    await gateway.api("DELETE", `/accounts/${account.id}/secrets/token/previous`);
    return logOfText(() => {}, account);
  },
  "push-token-old": async () => {
    const { id, pushUrl } = await connected();
    await rotate(id, "pushToken", 1);
    const statusOf = async () =>
      (await fetch(pushUrl, { method: "POST", headers: { "content-type": "application/json" }, body: PUSH })).status;
    await eventually("the end of the overlap", statusOf, (status) => status === 401);
    return logOf(() => push(pushUrl));
  },
  "desk-key-old": async () => {
    const { id } = await connected();
    await rotate(id, "deskKey", 0);
    return logOf(() => gateway.desk.pushText("oA", "hello"));
  },
});

/** The desk's answer to messages from now on, in place of its own; the test's end gives its own back. */
function answerInstead(body: string): void {
  onTestFinished(
    gateway.desk.misbehave({ kind: "rewrite", path: /im_callback$/, rewrite: (answer) => ({ ...answer, body, headers: {} }) }),
  );
}

describeMistakes("messages", {
  "desk-accepts-nothing": async () => {
    const account = await connected();
    answerInstead("<html><title>Log in</title></html>");
    await account.wechat.sendText("oPage", "hello");
    const { messages } = await eventually(
      "the first try",
      () => look(gateway, account, "oPage"),
      (seen) => seen.messages[0]?.state === "retrying",
    );
    return messages.map(({ error }) => error).join("\n");
  },
  "media-private": async () => {
    const account = await connected();
    await gateway.desk.pushMedia("oMedia", { type: "image", url: "http://127.0.0.1:9/a.png" });
    const { messages } = await eventually(
      "the refusal of the address",
      () => look(gateway, account, "oMedia"),
      (seen) => seen.messages.some(({ state }) => state === "failed"),
    );
    return messages.map(({ error }) => error).join("\n");
  },
  "media-id-old": () => errorOf("oOldId", "failed", () => gateway.desk.pushImage("oOldId", "an-id-of-last-week")),
  "answer-of-a-proxy": () => {
    const rewrite = (answer: LoopbackAnswer) => ({ ...answer, body: "<html>Please log in</html>" });
    const repair = gateway.wechat.misbehave({ kind: "rewrite", path: "/cgi-bin/message/custom/send", rewrite });
    return errorOf("oProxy", "uncertain", () => gateway.desk.pushText("oProxy", "yes")).finally(repair);
  },
  "other-app": async () => {
    const account = await gateway.connect("wecom", { id: "app-2", wechat: { corpId: "ww0000000000000002" } });
    await account.wechat.sendText("member", "hello", { AgentID: "1000009" });
    await gateway.desk.pushText("member", "an answer");
    const { messages } = await eventually(
      "the answer to be held",
      () => look(gateway, account, "member"),
      (seen) => seen.messages.some(({ state }) => state === "held"),
    );
    return messages.map(({ error }) => error).join("\n");
  },
  "text-too-long": async () => {
    const account = await connected({ wechat: { appId: "wx00000000000045aa" } });
    account.wechat.asyncTextBytesMax = 50;
    await account.wechat.sendText("oLong", "hello");
    await gateway.desk.pushText("oLong", "a long answer. ".repeat(50));
    const { messages } = await eventually(
      "the refusal of the text",
      () => look(gateway, account, "oLong"),
      (seen) => seen.messages.some(({ state }) => state === "failed"),
    );
    return messages.map(({ error }) => error).join("\n");
  },
});

/** The error of the reply to a customer who has written before. */
async function errorOf(openId: string, state: string, reply: () => Promise<unknown>): Promise<string> {
  // The emulated WeChat tells accounts apart by their appId.
  const account = await connected({ wechat: { appId: `wx00000000${Buffer.from(openId).toString("hex").slice(0, 8)}` } });
  await account.wechat.sendText(openId, "hello");
  await reply();
  const { messages } = await eventually(
    `a reply that is ${state}`,
    () => look(gateway, account, openId),
    (seen) => seen.messages.some((message) => message.state === state),
  );
  return messages.map(({ error }) => error).join("\n");
}

describeMistakes("warnings", {
  "desk-silent": async () => {
    const account = await connected();
    answerInstead("");
    await account.wechat.sendText("oSilent", "hello");
    const { body } = await eventually(
      "the warning",
      () => gateway.api<{ warnings: { sentence: string }[] }>("GET", `/accounts/${account.id}`),
      (shown) => shown.body.warnings.length > 0,
    );
    return body.warnings.map(({ sentence }) => sentence).join("\n");
  },
});

const SAID = { touser: "oA", msgtype: "text", text: { content: "hello" } };

async function answerToPush(body: string | Buffer | object): Promise<string> {
  return answerTo((await connected()).pushUrl, typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

async function answerTo(url: string, body: string | Buffer): Promise<string> {
  const answer = await (
    await fetch(url, { method: "POST", headers: { "content-type": "text/plain" }, body: new Uint8Array(Buffer.from(body)) })
  ).text();
  return answer.replaceAll("\\", "");
}

describeMistakes("answers", {
  "callback-account-unknown": async () => answerTo((await connected()).callbackUrl.replace(/[^/]+$/, "nobody"), "<xml/>"),
  "callback-account-disabled": async () => {
    const { id, wechat } = await connected();
    await gateway.api("POST", `/accounts/${id}/disable`);
    return (await wechat.sendText("oA", "hello")).tries.map(({ body }) => body).join("\n");
  },
  "push-unreadable": async () => answerTo((await connected()).pushUrl, "hello"),
  "push-too-long": async () => answerToPush({ ...SAID, text: { content: "x".repeat(900_000) } }),
  "push-of-nothing": async () => answerToPush({ ...SAID, text: { content: "<p>\u0007</p>" } }),
  "push-in-another-encoding": async () => answerToPush(Buffer.from("touser=oA&msgtype=text&text[content]=\xc4\xe3", "latin1")),
  "push-in-parts": async () => answerToPush('--x\r\nContent-Disposition: form-data; name="touser"\r\n\r\noA\r\n--x--'),
  "push-form-of-too-many-fields": async () => answerToPush(`touser=oA${"&a=1".repeat(5_999)}`),
  "push-array-with-a-broken-one": async () => answerToPush([SAID, { ...SAID, text: {} }, SAID]),
  "push-without-type": async () => answerToPush({ touser: "oA", status: "chatting", text: { content: "hello" } }),
  "push-with-words-beside": async () => answerToPush({ ...SAID, content: "other words" }),
  "push-with-words-not-shown": async () =>
    answerToPush({ touser: "oA", msgtype: "image", image: { media_id: "m1", title: "cap", content: "words" } }),
  "push-of-an-unknown-type": async () =>
    answerToPush({ customer_token: "oA", messages: [{ type: "hologram", data: { content: "hello" } }] }),
  "push-without-receiver": async () => answerTo((await connected()).pushUrl, '{"text":"hello"}'),
});
