import { afterEach, describe, expect, test } from "vitest";
import { createUdeskMessageInterface } from "../../../src/desks/udesk-message-interface/index.ts";
import type { DeskSettings } from "../../../src/domain/account.ts";
import { createHttpClient } from "../../../src/lib/http-client.ts";
import { childText, parseXml } from "../../../src/wechat/xml.ts";
import { type DeskAnswer, KEY, KEYS, makeAccount, makeConversation, makeMessage, startDesk, VECTOR_TIME } from "./support.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function start(answer: DeskAnswer | null, settings: Partial<DeskSettings> = {}) {
  const server = await startDesk(answer);
  const http = createHttpClient();
  cleanups.push(http.close, server.close);
  const account = makeAccount({ url: server.url, ...settings });
  return { server, desk: createUdeskMessageInterface({ account, key: KEY, keys: KEYS, http, now: () => VECTOR_TIME }) };
}

const hello = makeMessage({ type: "text", text: "你好 😀" });
const known = makeConversation({ number: "13574221234", email: "894733082@qq.com" });

async function submissionOf(answer: DeskAnswer | null) {
  const { desk } = await start(answer);
  return desk.submit(hello, known, AbortSignal.timeout(10_000));
}

test("a message is posted as XML to the signed address", async () => {
  const { server, desk } = await start({ body: "{}" });
  await desk.submit(hello, known, AbortSignal.timeout(10_000));
  const [request] = server.received;
  expect(request?.method).toBe("POST");
  expect(request?.url).toBe(
    "/spa1/im_callback?number=13574221234&email=894733082@qq.com&timestamp=20151124141451&sign=301B50B00CB609836B0D52FE4AB93CC8",
  );
  expect(request?.headers["content-type"]).toBe("text/xml; charset=utf-8");
  expect(childText(parseXml(request?.body ?? ""), "Content")).toBe("你好 😀");
});

test("an unknown customer is sent, and signed, empty", async () => {
  const { server, desk } = await start({ body: "{}" });
  await desk.submit(hello, makeConversation(), AbortSignal.timeout(10_000));
  expect(server.received[0]?.url).toBe("/spa1/im_callback?number=&email=&timestamp=20151124141451&sign=5115174BBECA8A19B2FE835E3BBEA724");
});

test("a second try carries the same body", async () => {
  const { server, desk } = await start({ body: "{}" });
  await desk.submit(hello, known, AbortSignal.timeout(10_000));
  await desk.submit(hello, known, AbortSignal.timeout(10_000));
  expect(server.received[1]?.body).toBe(server.received[0]?.body);
});

test("a type that the account wants as text leaves as text", async () => {
  const { server, desk } = await start({ body: "{}" }, { types: { image: "text" } });
  await desk.submit(makeMessage({ type: "image", url: "http://p" }), known, AbortSignal.timeout(10_000));
  expect(childText(parseXml(server.received[0]?.body ?? ""), "MsgType")).toBe("text");
});

describe("the message is done", () => {
  test("with the report of the answer", async () => {
    expect(await submissionOf({ body: '{"status":"queuing","turn":2,"agent_name":"","msg":"2 before you"}' })).toEqual({
      outcome: { kind: "done" },
      report: { status: "queueing", turn: 2, agentName: null, notice: "2 before you" },
    });
  });

  test("also when a 2xx has no JSON: then the status is unknown", async () => {
    for (const answer of [{ body: "OK" }, { status: 204 }, { status: 201, body: "<html></html>" }]) {
      const detail = `the desk answered: ${answer.body ?? ""}`;
      expect(await submissionOf(answer)).toEqual({ outcome: { kind: "done", detail }, report: { status: "unknown" } });
    }
  });

  test("also when a sentence for the customer sounds like a refusal", async () => {
    expect((await submissionOf({ body: '{"status":"chatting","msg":"验证不通过?"}' })).outcome).toEqual({ kind: "done" });
  });
});

describe("a refused signature is retried, so that a wrong key loses nothing:", () => {
  for (const answer of [
    { body: '{"success":false,"msg":"sign验证不通过"}' },
    { body: '{"msg":"sign验证不通过"}' },
    { body: "sign验证不通过" },
    { status: 400, body: '{"success":false,"msg":"sign验证不通过"}' },
  ]) {
    test(`${answer.status ?? 200} ${answer.body}`, async () => {
      const { outcome, report } = await submissionOf(answer);
      expect(outcome).toMatchObject({ kind: "retry", code: "DESK_REFUSED", detail: expect.stringContaining("desk key") });
      expect(report).toBeUndefined();
    });
  }
});

test("a desk that insists on number and e-mail is retried, and the detail names the setting", async () => {
  const { outcome } = await submissionOf({ body: '{"success":false,"msg":"请传递验证参数"}' });
  expect(outcome).toMatchObject({ kind: "retry", code: "DESK_REFUSED", detail: expect.stringContaining("desk.identity") });
});

test("another refusal is retried and quoted without what it echoes of the request", async () => {
  const echo = "no: /im_callback?number=1&sign=301B50B00CB609836B0D52FE4AB93CC8 (301b50b00cb609836b0d52fe4ab93cc8)";
  const { outcome } = await submissionOf({ body: JSON.stringify({ success: false, msg: echo }) });
  expect(outcome).toMatchObject({ kind: "retry", code: "DESK_REFUSED", detail: expect.stringContaining("no:") });
  expect(JSON.stringify(outcome)).not.toMatch(/301b50|number=/i);
});

describe("a status that speaks of this message rejects it, so that the conversation goes on:", () => {
  for (const status of [400, 413, 415, 422]) {
    test(`${status}`, async () => {
      expect((await submissionOf({ status })).outcome).toMatchObject({ kind: "rejected", code: `DESK_HTTP_${status}` });
    });
  }
});

describe("any other status is retried:", () => {
  for (const status of [301, 302, 401, 403, 404, 405, 408, 409, 429, 500, 502, 503, 504]) {
    test(`${status}`, async () => {
      const { outcome } = await submissionOf({ status, headers: { location: "http://127.0.0.1:1/" } });
      expect(outcome).toMatchObject({ kind: "retry", code: `DESK_HTTP_${status}` });
      expect(outcome).not.toHaveProperty("retryAfterMs");
    });
  }

  test("and what is said stays true of a message that is dead by now", async () => {
    const { outcome } = await submissionOf({ status: 500 });
    expect(outcome).toMatchObject({ detail: "The desk answered HTTP 500; the desk's own log tells why." });
  });
});

describe("Retry-After", () => {
  for (const [status, value, retryAfterMs] of [
    [429, "7", 7_000],
    [503, "0", 0],
    [503, "Tue, 24 Nov 2015 06:15:01 GMT", 9_211],
    [503, "Tue, 24 Nov 2015 06:00:00 GMT", 0],
    [503, "999999999", 3_600_000],
    [429, "soon", undefined],
  ] as const) {
    test(`${status} "${value}" pauses for ${retryAfterMs ?? "the usual"} ms`, async () => {
      const { outcome } = await submissionOf({ status, headers: { "retry-after": value } });
      expect(outcome).toHaveProperty("kind", "retry");
      expect("retryAfterMs" in outcome ? outcome.retryAfterMs : undefined).toBe(retryAfterMs);
    });
  }
});

test("a desk that cannot be reached is retried", async () => {
  const { server, desk } = await start({});
  await server.close();
  const { outcome } = await desk.submit(hello, known, AbortSignal.timeout(10_000));
  expect(outcome).toMatchObject({ kind: "retry", code: "CONNECT_FAILED" });
});

test("a lost answer is retried: the desk is promised every message at least once", async () => {
  expect((await submissionOf(null)).outcome).toMatchObject({ kind: "retry", code: "ANSWER_LOST" });
});

test("an aborted try is retried", async () => {
  const { desk } = await start({});
  const { outcome } = await desk.submit(hello, known, AbortSignal.abort());
  expect(outcome).toMatchObject({ kind: "retry" });
});

test("no detail holds key, sign or query", async () => {
  const outcomes: unknown[] = [];
  for (const answer of [
    null,
    { status: 302 },
    { status: 400 },
    { status: 401 },
    { status: 404 },
    { status: 500 },
    { body: '{"success":false}' },
  ]) {
    outcomes.push((await submissionOf(answer)).outcome);
  }
  expect(outcomes).toHaveLength(7);
  expect(JSON.stringify(outcomes)).not.toMatch(/0123456789abcdef|301B50B0|number=|timestamp=/i);
});
