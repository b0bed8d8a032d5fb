import { expect, test } from "vitest";
import { ACCOUNT } from "../../bench/lib/account.ts";
import { readAnswer } from "../../bench/lib/line.ts";
import { findNumber, makeCallbacks, toText } from "../../bench/lib/requests.ts";
import { createCallback } from "../../src/channels/official-account/callback.ts";

test("the callbacks of the load are ones that the gateway opens, each a message of its own", () => {
  const { id, appId, token, encodingAesKey } = ACCOUNT;
  const channel = createCallback({
    account: { id, version: 1, wechat: { appId, encryption: "safe", apiBaseUrl: "", timestampToleranceSeconds: 600 } },
    credentials: { token: [{ value: token, expiresAt: null }], encodingAesKey: [{ value: encodingAesKey, expiresAt: null }] },
    secrets: {},
    http: {} as never,
    tokens: {} as never,
    media: {} as never,
    now: () => new Date(),
  });
  const opened = makeCallbacks({ first: 7, count: 3, contacts: 2 }).map((request) => {
    const [head = "", body = ""] = request.toString().split("\r\n\r\n");
    const query = Object.fromEntries(new URLSearchParams(head.split(" ")[1]?.split("?")[1]));
    return channel.open({ query, body: Buffer.from(body) });
  });
  expect(opened).toMatchObject(
    [7, 8, 9].map((number) => ({ kind: "message", message: { content: { type: "text", text: toText(number) } } })),
  );
  const messages = opened.flatMap((each) => (each.kind === "message" ? [each.message] : []));
  expect(new Set(messages.map(({ dedupeKey }) => dedupeKey)).size).toBe(3);
  expect(messages[0]?.openId).toBe(messages[2]?.openId);
});

test("a message's number is found in whatever carries its text", () => {
  expect(findNumber(`<xml><Content><![CDATA[${toText(42)}]]></Content></xml>`)).toBe(42);
});

test("an answer counts once all of it is there, by length or by chunks", () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n";
  expect(readAnswer(Buffer.from("HTTP/1.1 200 OK\r\n"))).toBeNull();
  expect(readAnswer(Buffer.from(`${head}succe`))).toBeNull();
  expect(readAnswer(Buffer.from(`${head}success`))).toBe(200);
  const chunked = "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n";
  expect(readAnswer(Buffer.from(`${chunked}2\r\nno\r\n`))).toBeNull();
  expect(readAnswer(Buffer.from(`${chunked}2\r\nno\r\n0\r\n\r\n`))).toBe(503);
});
