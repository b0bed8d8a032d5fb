import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { LoopbackAnswer } from "../src/emulators/loopback.ts";
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

describe.each(CODINGS)("content-encoding %s", (coding) => {
  test("of the desk's answer is undone: the conversation's status is known", async () => {
    const gateway = await startGateway();
    const account = await gateway.connect("official_account");
    gateway.desk.misbehave({ kind: "rewrite", rewrite: compressed(coding) });
    gateway.desk.setAnswer("*", { status: "queueing", turn: 2, agent_name: "", msg: "2 customers before you" });
    expect((await account.wechat.sendText("oA", "hello")).reply).toMatchObject({ text: "2 customers before you" });
    expect((await look(gateway, account, "oA")).conversation).toMatchObject({ status: "queueing", turn: 2 });
    expect((await gateway.api("POST", "/accounts/shop/test")).body).toMatchObject({
      checks: expect.arrayContaining([expect.objectContaining({ name: "desk", ok: true })]),
    });
  });

  test.each(["official_account", "wecom"] as const)("of every answer of WeChat (%s) is undone: the reply is sent", async (kind) => {
    const gateway = await startGateway();
    const account = await gateway.connect(kind);
    gateway.wechat.misbehave({ kind: "rewrite", rewrite: compressed(coding) });
    await account.wechat.sendText("oA", "hello");
    await gateway.desk.pushText("oA", "yes, 3 left");
    await eventually(
      "the reply's state",
      () => look(gateway, account, "oA"),
      ({ messages }) => messages.at(-1)?.state === "sent",
    );
    expect((await gateway.wechat.waitForSeen("oA", ({ text }) => text === "yes, 3 left")).at(-1)).toMatchObject({ way: "async" });
  });
});
