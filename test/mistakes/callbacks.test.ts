import { afterAll, beforeAll, expect } from "vitest";
import type { EmulatedAccount } from "../../src/emulators/wechat.ts";
import { type ConnectedAccount, DESK_KEY, eventually, look, type OpenGateway, openGateway } from "../support/gateway.ts";
import { describeMistakes } from "./expect-said.ts";

const lines: string[] = [];
let gateway: OpenGateway;
/** How far WeChat's clock is ahead of the gateway's. */
let aheadMs = 0;
let count = 0;

beforeAll(async () => {
  gateway = await openGateway({
    environment: { WXDESK_LOG_LEVEL: "warn" },
    logTo: { write: (line) => void lines.push(line) },
    wechat: { now: () => new Date(Date.now() + aheadMs), tries: 1 },
  });
});
afterAll(() => gateway.close());

/** What the log says of the callbacks and pushes that are refused while `act` is under way. */
async function logOf(act: () => Promise<unknown>): Promise<string> {
  lines.length = 0;
  await act();
  const refused = () => lines.map((line) => JSON.parse(line)).filter(({ msg }) => /^(callback|push)\.refused$/.test(msg));
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

async function push(url: string): Promise<void> {
  await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: PUSH });
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
      wechat: { appId: "wx0123456789abcdef", appSecret: "app-secret", token: "tok3nForTests", encryption: "plain" },
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

describeMistakes("messages", {
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
  "push-array-with-a-broken-one": async () => answerToPush([SAID, { ...SAID, text: {} }, SAID]),
  "push-without-type": async () => answerToPush({ touser: "oA", status: "chatting", text: { content: "hello" } }),
  "push-of-an-unknown-type": async () =>
    answerToPush({ customer_token: "oA", messages: [{ type: "hologram", data: { content: "hello" } }] }),
  "push-without-receiver": async () => answerTo((await connected()).pushUrl, '{"text":"hello"}'),
});
