import { afterEach, expect, test } from "vitest";
import { createHttpClient } from "../../../src/base/http-client.ts";
import { createUdeskMessageInterface } from "../../../src/desks/udesk-message-interface/index.ts";
import { type DeskAnswer, KEY, KEYS, makeAccount, startDesk, VECTOR_TIME } from "./support.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function check(answer: DeskAnswer | null) {
  const server = await startDesk(answer);
  const http = createHttpClient();
  cleanups.push(http.close, server.close);
  const desk = createUdeskMessageInterface({
    account: makeAccount({ url: server.url }),
    key: KEY,
    keys: KEYS,
    http,
    now: () => VECTOR_TIME,
  });
  return { result: await desk.testChannel(AbortSignal.timeout(10_000)), received: server.received };
}

test("the channel test is a signed GET beside the message address", async () => {
  const { result, received } = await check({ body: '{"success":true}' });
  expect(result.ok).toBe(true);
  expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual([
    "GET /spa1/im_callback/test?number=&email=&timestamp=20151124141451&sign=5115174BBECA8A19B2FE835E3BBEA724",
  ]);
});

test("a refused signature points to the desk key", async () => {
  const { result } = await check({ body: '{"success":false,"msg":"sign验证不通过"}' });
  expect(result).toMatchObject({ ok: false, sentence: expect.stringContaining("desk key"), remedy: expect.stringContaining("KEY") });
});

test("missing parameters point to desk.identity", async () => {
  const { result } = await check({ body: '{"success":false,"msg":"请传递验证参数"}' });
  expect(result).toMatchObject({ ok: false, remedy: expect.stringContaining("desk.identity") });
});

test("an answer that is not Udesk's points to desk.url", async () => {
  for (const answer of [
    { status: 404, body: "not found" },
    { body: "<html></html>" },
    { body: '{"success":1}' },
    { status: 500, body: '{"success":true}' },
  ]) {
    expect((await check(answer)).result).toMatchObject({ ok: false, remedy: expect.stringContaining("desk.url") });
  }
});

test("a desk that does not answer is named unreachable, without key or sign", async () => {
  const { result } = await check(null);
  expect(result).toMatchObject({ ok: false, sentence: expect.stringContaining("cannot be reached") });
  expect(JSON.stringify(result)).not.toMatch(/sign=|0123456789abcdef/);
});

test("an answer tells how far our clock is from the desk's, to the second that its Date has", async () => {
  const date = new Date(VECTOR_TIME.getTime() - 90_000);
  const { result } = await check({ body: '{"success":true}', headers: { date: date.toUTCString() } });
  expect(result).toMatchObject({ ok: true, clockOffsetMs: 90_000 + date.getMilliseconds() });
});
