import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { LoopbackAnswer } from "../src/emulators/loopback-answer.ts";
import { eventually, type Gateway, look, startGateway } from "./support/gateway.ts";

const PAGE = "<html><head><title>Log in</title></head><body><form action='/login?next=1'></form></body></html>";

/** The desk reads the message, and this is answered in its place. Returns a function that ends it. */
function answerInstead({ desk }: Gateway, body: string, change: Partial<LoopbackAnswer> = {}): () => void {
  return desk.misbehave({ kind: "rewrite", path: /im_callback$/, rewrite: () => ({ status: 200, headers: {}, body, ...change }) });
}

interface Account {
  version: number;
  warning: { code: string } | null;
  warnings: { code: string; since: string }[];
}

const codesOf = ({ warnings }: Account) => warnings.map(({ code }) => code);

async function eventuallyWarned(gateway: Gateway, codes: string[]): Promise<Account> {
  const { body } = await eventually(
    `the warnings ${codes}`,
    () => gateway.api<Account>("GET", "/accounts/shop"),
    (shown) => codesOf(shown.body).join() === codes.join(),
  );
  return body;
}

describe("a page answers in the desk's place with HTTP 200", () => {
  test("the message is tried again, says why, and is forwarded once the desk itself answers", async () => {
    const lines: string[] = [];
    const gateway = await startGateway({ environment: { WXDESK_LOG_LEVEL: "info" }, logTo: { write: (line) => void lines.push(line) } });
    const account = await gateway.connect("official_account", { replies: { passiveWaitMs: 0 } });
    const mend = answerInstead(gateway, `${PAGE.replace("Log in", "cannot read: is it in stock")}`);
    await account.wechat.sendText("oA", "is it in stock");
    const { messages } = await eventually(
      "a second try",
      () => look(gateway, account, "oA"),
      (seen) => (seen.messages[0]?.attempts ?? 0) >= 2,
    );
    expect(messages[0]).toMatchObject({ state: "retrying", errorCode: "DESK_NOT_ACCEPTED" });
    expect(messages[0]?.error).toMatch(
      /^the desk answered HTTP 200, but did not say that it took the message; .*; it said: cannot read: is it/,
    );
    mend();
    const { conversation } = await eventually(
      "the message to be forwarded",
      () => look(gateway, account, "oA"),
      (seen) => seen.messages[0]?.state === "forwarded",
    );
    expect(conversation).toMatchObject({ status: "queueing", turn: 2, pending: { toDesk: 0, dead: 0 } });
    const { body } = await gateway.api<{ attempts: { outcome: string; code: string | null }[] }>("GET", `/messages/${messages[0]?.id}`);
    expect(body.attempts[0]).toMatchObject({ outcome: "retry", code: "DESK_NOT_ACCEPTED", detail: messages[0]?.error });
    expect(body.attempts.at(-1)).toMatchObject({ outcome: "done", code: null });
    // The desk's answer may quote the customer, so it must not be logged.
    const tries = lines.filter((line) => line.includes("message.forwarded"));
    expect(tries.length).toBeGreaterThan(2);
    expect(lines.join("\n")).not.toContain("in stock");
  });

  test("after a day of it the message is dead, and the next one is tried", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect("official_account", { replies: { passiveWaitMs: 0 } });
    const mend = answerInstead(gateway, '{"code":2059,"message":"bad"}');
    await account.wechat.sendText("oA", "lost");
    await eventually(
      "the first try",
      () => look(gateway, account, "oA"),
      (seen) => (seen.messages[0]?.attempts ?? 0) >= 1,
    );
    await gateway.database.execute("UPDATE messages SET created_at = created_at - interval '24 hours'");
    const { messages } = await eventually(
      "the message to be dead",
      () => look(gateway, account, "oA"),
      ({ conversation }) => conversation.pending.dead === 1,
    );
    expect(messages[0]).toMatchObject({ state: "dead", error: expect.stringContaining('it said: {"code":2059,"message":"bad"}') });
    mend();
    await account.wechat.sendText("oA", "next");
    await gateway.desk.waitForReceived("oA", ({ text }) => text === "next");
  });

  test("it counts as a desk that is away: it is probed, and customers are told once", async () => {
    const gateway = await startGateway({ pauseMs: () => 1, breakerPauseMs: 60_000 });
    const account = await gateway.connect("official_account");
    answerInstead(gateway, PAGE);
    await account.wechat.sendText("oA", "hello");
    const [told] = await gateway.wechat.waitForSeen("oA", 1);
    expect(told?.text).toContain("客服系统暂时无法连接");
    const calls = gateway.desk.calls(/im_callback$/);
    for (const openId of ["oB", "oC", "oD"]) expect((await account.wechat.sendText(openId, "hello")).reply?.text).toBe(told?.text);
    expect(gateway.desk.calls(/im_callback$/)).toBe(calls);
  });
});

describe("a desk that answers with nothing", () => {
  test("has its messages forwarded and leaves one warning, which goes with a proper answer", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect("official_account", { replies: { passiveWaitMs: 0 } });
    const mend = answerInstead(gateway, "\r\n");
    for (const text of ["one", "two", "three"]) await account.wechat.sendText("oA", text);
    const { messages } = await eventually(
      "all to be forwarded",
      () => look(gateway, account, "oA"),
      (seen) => seen.messages.filter(({ state }) => state === "forwarded").length === 3,
    );
    expect(messages.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
    const { warning, warnings } = await eventuallyWarned(gateway, ["DESK_SILENT"]);
    expect(warning).toEqual(warnings[0]);
    mend();
    await account.wechat.sendText("oA", "four");
    await eventuallyWarned(gateway, []);
    expect((await look(gateway, account, "oA")).conversation.status).toBe("queueing");
  });

  test("and WeChat's refusal to send are two warnings, and each ends by itself", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect("official_account", { replies: { passiveWaitMs: 0 } });
    await account.wechat.sendText("oA", "hello");
    await eventually(
      "the first message to be forwarded",
      () => look(gateway, account, "oA"),
      (seen) => seen.messages[0]?.state === "forwarded",
    );
    const mend = answerInstead(gateway, "");
    account.wechat.maySend = false;
    await gateway.desk.pushText("oA", "held");
    await eventuallyWarned(gateway, ["48001"]);
    await account.wechat.sendText("oB", "hello");
    await eventuallyWarned(gateway, ["DESK_SILENT", "48001"]);
    expect((await look(gateway, account, "oB")).conversation.reply.ways).toEqual([]);

    account.wechat.maySend = true;
    await account.wechat.sendText("oA", "anything?");
    await gateway.desk.pushText("oA", "yes");
    await eventuallyWarned(gateway, ["DESK_SILENT"]);
    expect((await look(gateway, account, "oB")).conversation.reply.ways).toEqual(["async"]);
    mend();
    await account.wechat.sendText("oB", "hello?");
    await eventuallyWarned(gateway, []);
  });
});

describe("a compressed answer", () => {
  test("that says nothing is as empty as a plain one, and a compressed page is read to say so", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect("official_account", { replies: { passiveWaitMs: 0 } });
    const headers = { "content-encoding": "gzip" };
    const mend = gateway.desk.misbehave({
      kind: "rewrite",
      path: /im_callback$/,
      rewrite: () => ({ status: 200, headers, body: gzipSync(PAGE) }),
    });
    await account.wechat.sendText("oA", "hello");
    const { messages } = await eventually(
      "the first try",
      () => look(gateway, account, "oA"),
      (seen) => seen.messages[0]?.state === "retrying",
    );
    expect(messages[0]?.error).toContain("it said: Log in");
    mend();
    gateway.desk.misbehave({ kind: "rewrite", path: /im_callback$/, rewrite: () => ({ status: 200, headers, body: gzipSync("") }) });
    await eventuallyWarned(gateway, ["DESK_SILENT"]);
  });
});
