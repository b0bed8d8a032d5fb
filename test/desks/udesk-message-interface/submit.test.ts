import { afterEach, describe, expect, test } from "vitest";
import { createHttpClient } from "../../../src/base/http-client.ts";
import { createUdeskMessageInterface } from "../../../src/desks/udesk-message-interface/index.ts";
import type { DeskSettings } from "../../../src/domain/account.ts";
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
  const { server, desk } = await start({ body: '{"success":true}' });
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
  const { server, desk } = await start({ body: '{"success":true}' });
  await desk.submit(hello, makeConversation(), AbortSignal.timeout(10_000));
  expect(server.received[0]?.url).toBe("/spa1/im_callback?number=&email=&timestamp=20151124141451&sign=5115174BBECA8A19B2FE835E3BBEA724");
});

test("a second try carries the same body", async () => {
  const { server, desk } = await start({ body: '{"success":true}' });
  await desk.submit(hello, known, AbortSignal.timeout(10_000));
  await desk.submit(hello, known, AbortSignal.timeout(10_000));
  expect(server.received[1]?.body).toBe(server.received[0]?.body);
});

test("a type that the account wants as text leaves as text", async () => {
  const { server, desk } = await start({ body: '{"success":true}' }, { types: { image: "text" } });
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

  test("with a note of the answer when its status is not understood", async () => {
    expect(await submissionOf({ body: '{"status":"dancing"}' })).toEqual({
      outcome: { kind: "done", detail: 'the desk answered: {"status":"dancing"}' },
      report: { status: "unknown" },
    });
  });

  test("with success alone, which says nothing of the conversation", async () => {
    expect(await submissionOf({ body: '{"success":true}' })).toEqual({ outcome: { kind: "done" } });
  });

  test("and silent when a 2xx has nothing in it", async () => {
    for (const answer of [{ body: "" }, { body: "\r\n" }, { status: 204 }, { status: 202 }]) {
      expect(await submissionOf(answer)).toEqual({ outcome: { kind: "done" }, isSilent: true });
    }
  });

  test("also when a sentence for the customer sounds like a refusal", async () => {
    expect((await submissionOf({ body: '{"status":"chatting","msg":"验证不通过?"}' })).outcome).toEqual({ kind: "done" });
  });
});

describe("a 2xx that does not say that the desk took it is retried, with what it said:", () => {
  test.each<[DeskAnswer, string]>([
    [{ body: "<html><head><title>Log in</title></head><body><form>…</form></body></html>" }, "Log in"],
    [{ body: "<!doctype html><style>p{}</style><p>Under <b>maintenance</b></p>" }, "Under maintenance"],
    [{ body: '<?xml version="1.0"?><error>no tenant</error>' }, "no tenant"],
    [{ body: '{"code":2059,"message":"bad"}' }, '{"code":2059,"message":"bad"}'],
    [{ body: '[{"status":"chatting"}]' }, '[{"status":"chatting"}]'],
    [{ body: '"chatting"' }, '"chatting"'],
    [{ body: "OK" }, "OK"],
    [{ status: 201, body: "<html></html>" }, ""],
    [{ body: "x".repeat(300) }, "…"],
    [{ body: "so ".repeat(300) }, `${"so ".repeat(300).slice(0, 200)}…`],
  ])("%j", async (answer, said) => {
    expect(await submissionOf(answer)).toEqual({
      outcome: {
        kind: "retry",
        code: "DESK_NOT_ACCEPTED",
        detail: expect.stringMatching(/^the desk answered HTTP 20[01], but did not say that it took the message; check that desk.url is/),
        said,
      },
    });
  });

  test("a redirect to a login page is not followed", async () => {
    const { outcome } = await submissionOf({ status: 302, headers: { location: "/login" }, body: '{"success":true}' });
    expect(outcome).toMatchObject({ kind: "retry", code: "DESK_HTTP_302", detail: expect.stringContaining("redirect") });
  });

  test("an answer that is longer than a megabyte, or is cut, is lost", async () => {
    const long = JSON.stringify({ status: "chatting", msg: "x".repeat(1024 * 1024) });
    expect((await submissionOf({ body: long })).outcome).toMatchObject({ kind: "retry", code: "ANSWER_LOST" });
    const cut = { headers: { "content-length": "100", connection: "close" }, body: '{"status":"chatting"}' };
    expect((await submissionOf(cut)).outcome).toMatchObject({ kind: "retry", code: "ANSWER_LOST" });
  });

  test("nothing secret that it echoes is kept: key, sign, query, addresses with either", async () => {
    const query = "number=13574221234&email=a@b.cn&timestamp=20151124141451&sign=301B50B00CB609836B0D52FE4AB93CC8";
    for (const body of [
      `<p>no such page: /spa1/im_callback?${query}</p>`,
      `<title>${query}</title>`,
      JSON.stringify({ code: 2059, message: `sign 301b50b00cb609836b0d52fe4ab93cc8 of ${KEY} is wrong`, query, path: `/x?${query}` }),
      `${"x".repeat(190)} ${KEY}`,
    ]) {
      const { outcome } = await submissionOf({ body });
      expect(outcome).toMatchObject({ kind: "retry", said: expect.stringContaining("…") });
      expect(JSON.stringify(outcome)).not.toMatch(/301b50|0123456789abcdef|number=|13574221234|timestamp=|a@b/i);
    }
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
  expect(outcome).toMatchObject({ kind: "retry", code: "DESK_REFUSED", said: expect.stringContaining("no:") });
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
    [429, "4 ", 4_000],
    [429, " 4\t", 4_000],
    [503, "2.5", 2_500],
    [503, " Tue, 24 Nov 2015 06:15:01 GMT ", 9_211],
    [503, "Tuesday, 24-Nov-15 06:15:01 GMT", 9_211],
    [503, "Tue Nov 24 06:15:01 2015", 9_211],
    [503, "Tue, 24 Nov 2015 14:15:01 +0800", 9_211],
    [503, "9".repeat(400), 3_600_000],
    [503, "Fri, 31 Dec 9999 23:59:59 GMT", 3_600_000],
    [429, "soon", undefined],
    [429, "", undefined],
    [429, "-5", undefined],
    [429, "1e3", undefined],
    [429, "Infinity", undefined],
    [429, "4, 5", undefined],
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
