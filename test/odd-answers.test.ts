import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { LoopbackAnswer } from "../src/emulators/loopback-answer.ts";
import { SAMPLES } from "../src/emulators/wechat-samples.ts";
import { eventually, look, startGateway } from "./support/gateway.ts";

const COMPRESSORS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };
const CODINGS = ["gzip", "deflate", "br"] as const;

const compressed =
  (coding: keyof typeof COMPRESSORS) =>
  (answer: LoopbackAnswer): LoopbackAnswer => ({
    ...answer,
    headers: { ...answer.headers, "content-encoding": coding },
    body: COMPRESSORS[coding](answer.body),
  });

test("content-encoding gzip, deflate and br of the desk's answer are undone: the conversation's status is known", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", { status: "queueing", turn: 2, agent_name: "", msg: "2 customers before you" });
  for (const coding of CODINGS) {
    const repair = gateway.desk.misbehave({ kind: "rewrite", rewrite: compressed(coding) });
    expect((await account.wechat.sendText(`o-${coding}`, "hello")).reply).toMatchObject({ text: "2 customers before you" });
    expect((await look(gateway, account, `o-${coding}`)).conversation).toMatchObject({ status: "queueing", turn: 2 });
    const { checks } = (await gateway.api<{ checks: unknown[] }>("POST", "/accounts/shop/test")).body;
    expect(checks).toContainEqual(expect.objectContaining({ name: "desk", ok: true }));
    repair();
  }
});

test.each(["official_account", "wecom"] as const)(
  "content-encoding gzip of every answer of WeChat (%s) is undone: the reply is sent",
  async (kind) => {
    const gateway = await startGateway();
    const account = await gateway.connect(kind);
    gateway.wechat.misbehave({ kind: "rewrite", rewrite: compressed("gzip") });
    await account.wechat.sendText("oA", "hello");
    await gateway.desk.pushText("oA", "yes, 3 left");
    await eventually(
      "the reply's state",
      () => look(gateway, account, "oA"),
      ({ messages }) => messages.at(-1)?.state === "sent",
    );
    expect((await gateway.wechat.waitForSeen("oA", ({ text }) => text === "yes, 3 left")).at(-1)).toMatchObject({ way: "async" });
  },
);

/** A byte order mark in front, a raw control character in each string, something behind. */
function spoilt(answer: LoopbackAnswer): LoopbackAnswer {
  const text = answer.body.toString().replace('"errmsg":"ok', '"errmsg":"ok\u0007');
  return { ...answer, headers: { ...answer.headers, "content-type": "text/html" }, body: `\ufeff${text}\r\n\0<!-- proxy -->` };
}

test.each(["official_account", "wecom"] as const)(
  "a delivered message is not uncertain for what surrounds WeChat's JSON (%s)",
  async (kind) => {
    const gateway = await startGateway({ environment: { WXDESK_MEDIA_ALLOW_NETWORKS: "127.0.0.0/8" } });
    const account = await gateway.connect(kind);
    const repair = gateway.wechat.misbehave({ kind: "rewrite", rewrite: spoilt, path: /cgi-bin/ });
    await account.wechat.sendText("oA", "hello");
    await gateway.desk.pushMedia("oA", { type: "image", url: gateway.desk.addMedia(SAMPLES.image) });
    await gateway.desk.pushText("oA", "is it this one?");
    const { messages } = await eventually(
      "the replies' states",
      () => look(gateway, account, "oA"),
      (seen) => seen.messages.at(-1)?.state === "sent",
    );
    expect(messages.filter(({ direction }) => direction === "outbound").map(({ type, state }) => [type, state])).toEqual(
      expect.arrayContaining([
        ["image", "sent"],
        ["text", "sent"],
      ]),
    );
    expect(
      (await gateway.api<{ checks: { ok: boolean }[] }>("POST", `/accounts/${account.id}/test`)).body.checks.map(({ ok }) => ok),
    ).not.toContain(false);
    repair();
  },
);

test("a token that comes without a lifetime sends all replies, and is asked for once", async () => {
  const gateway = await startGateway();
  const account = await gateway.connect("official_account");
  const rewrite = (answer: LoopbackAnswer) => ({ ...answer, body: answer.body.toString().replace(/,"expires_in":\d+/, "") });
  gateway.wechat.misbehave({ kind: "rewrite", path: "/cgi-bin/stable_token", rewrite });
  await account.wechat.sendText("oA", "hello");
  for (const text of ["one", "two", "three"]) await gateway.desk.pushText("oA", text);
  await gateway.wechat.waitForSeen("oA", ({ text }) => text === "three");
  expect(gateway.wechat.calls("/cgi-bin/stable_token")).toBe(1);
});
