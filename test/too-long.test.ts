import { expect, test } from "vitest";
import { type ConnectedAccount, eventually, type Gateway, look, startGateway } from "./support/gateway.ts";

interface ShownAttempts {
  attempts: { outcome: string; code: string | null; detail: string | null }[];
}

/** A customer who has written, so that replies may be sent asynchronously and only so. */
async function connected(gateway: Gateway, kind: "official_account" | "wecom", bytesMax: number): Promise<ConnectedAccount> {
  gateway.desk.setAnswer("*", { status: "queueing", turn: 1, agent_name: "", msg: "" });
  const account = await gateway.connect(kind, { replies: { notices: "never" } });
  account.wechat.asyncTextBytesMax = bytesMax;
  account.wechat.limitsSends = false;
  await account.wechat.sendText("oA", "hello");
  return account;
}

async function settled(gateway: Gateway, account: ConnectedAccount, text: string) {
  const { messages } = await eventually(
    "the end of the reply",
    () => look(gateway, account, "oA"),
    (seen) => seen.messages.some((message) => message.text === text && /^(sent|failed|uncertain)$/.test(message.state)),
  );
  const message = messages.find((each) => each.text === text);
  const { body } = await gateway.api<ShownAttempts>("GET", `/messages/${message?.id}`);
  return { state: message?.state, error: message?.error, attempts: body.attempts };
}

const sentences = (count: number) => Array.from({ length: count }, (_, index) => `Sentence number ${index} of the answer. `).join("");

test.each(["official_account", "wecom"] as const)(
  "a text that %s refuses as too long (45002) arrives in smaller parts, whole, in order and once",
  async (kind) => {
    const gateway = await startGateway();
    const account = await connected(gateway, kind, 600);
    const text = sentences(90);
    await gateway.desk.pushText("oA", text);
    await gateway.desk.pushText("oA", "and that is all");
    expect(await settled(gateway, account, text)).toMatchObject({ state: "sent" });
    expect(await settled(gateway, account, "and that is all")).toMatchObject({ state: "sent" });

    const seen = account.wechat.seenBy("oA").map((message) => message.text ?? "");
    expect(seen.slice(0, -1).join("")).toBe(text);
    expect(seen.at(-1)).toBe("and that is all");
    for (const part of seen) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(600);
    const { attempts } = await settled(gateway, account, text);
    expect(attempts[0]).toMatchObject({
      outcome: "done",
      detail: expect.stringMatching(/^sent in smaller parts: refused as too long: \d+, \d+ bytes$/),
    });
  },
);

test("an article that is too long goes out as a text in parts", async () => {
  const gateway = await startGateway();
  const account = await connected(gateway, "wecom", 600);
  gateway.wechat.misbehave({ kind: "errcode", errcode: 45002, errmsg: "content size out of limit", path: /message\/send/, times: 1 });
  const article = { title: "Hours", description: "", url: "https://x.cn/h" };
  const push = JSON.stringify({ touser: "oA", msgtype: "news", news: { articles: [article] } });
  await gateway.desk.pushRaw({ contentType: "application/json", body: push });
  await eventually(
    "the article as a text",
    async () => account.wechat.seenBy("oA"),
    (seen) => seen.some(({ text }) => text === "[news] Hours https://x.cn/h"),
  );
});

test("a text that is refused in parts of any size fails with a reason, and the next one still arrives", async () => {
  const gateway = await startGateway();
  const account = await connected(gateway, "official_account", 50);
  const text = sentences(20);
  await gateway.desk.pushText("oA", text);
  await gateway.desk.pushText("oA", "short");
  const { state, error, attempts } = await settled(gateway, account, text);
  expect({ state, error, attempts }).toMatchObject({ state: "failed", attempts: [{ outcome: "rejected", code: "45002" }] });
  expect(error).toMatch(/the message is too long; write it shorter.*refused as too long: \d+, \d+, \d+ bytes$/);
  expect(await settled(gateway, account, "short")).toMatchObject({ state: "sent" });
  expect(account.wechat.seenBy("oA").map((message) => message.text)).toEqual(["short"]);
});
