import { expect, test } from "vitest";
import { TransportError } from "../../src/base/errors.ts";
import type { HttpClient } from "../../src/base/http-client.ts";
import { checkPublicUrl } from "../../src/http/check-public-url.ts";

/** The network outside, which a test cannot be: it answers as told, or does not. */
function network(answer: { status: number; body: string } | Error): HttpClient & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    exchange: async ({ url }) => {
      asked.push(url);
      if (answer instanceof Error) throw answer;
      return { status: answer.status, headers: {}, body: Buffer.from(answer.body) };
    },
    close: async () => {},
  };
}

const ALIVE = { status: 200, body: '{"status":"ok"}' };
const { signal } = new AbortController();

test("an https address behind which a gateway answers is right, and only /livez is asked", async () => {
  const http = network(ALIVE);
  expect(await checkPublicUrl("https://gateway.example.com/wxdesk", http, signal)).toEqual({
    ok: true,
    sentence: "a gateway answers at https://gateway.example.com/wxdesk",
  });
  expect(http.asked).toEqual(["https://gateway.example.com/wxdesk/livez"]);
});

test("http is taken by WeChat, with the advice to use https", async () => {
  const check = await checkPublicUrl("http://gateway.example.com", network(ALIVE), signal);
  expect(check).toMatchObject({ ok: true, remedy: expect.stringContaining("https") });
});

test.each([
  "http://127.0.0.1:8787",
  "http://localhost:8787",
  "https://wxdesk.local",
  "http://10.1.2.3",
  "http://172.31.0.1",
  "http://192.168.1.2",
  "http://169.254.1.1",
  "http://100.64.0.1",
  "http://0.0.0.0:8787",
  "http://[::1]:8787",
  "http://[fd00::1]",
])("%s is no address that WeChat can reach, and is not asked", async (publicUrl) => {
  const http = network(ALIVE);
  const check = await checkPublicUrl(publicUrl, http, signal);
  expect(check).toMatchObject({ ok: true, remedy: expect.stringContaining("WXDESK_PUBLIC_URL") });
  expect(http.asked).toEqual([]);
});

test.each(["http://172.32.0.1", "http://100.128.0.1", "http://11.0.0.1", "http://[2001:db8::1]", "http://10.example.com"])(
  "%s may be public, and is asked",
  async (publicUrl) => {
    const http = network(ALIVE);
    expect(await checkPublicUrl(publicUrl, http, signal)).toMatchObject({
      ok: true,
      sentence: expect.stringContaining("a gateway answers"),
    });
    expect(http.asked).toHaveLength(1);
  },
);

test("a port beside 80 and 443 is none that Official Accounts call", async () => {
  for (const publicUrl of ["https://gateway.example.com:8443", "http://gateway.example.com:8787"]) {
    expect(await checkPublicUrl(publicUrl, network(ALIVE), signal)).toMatchObject({ ok: true, remedy: expect.stringContaining("proxy") });
  }
  expect(await checkPublicUrl("https://gateway.example.com:443", network(ALIVE), signal)).not.toHaveProperty("remedy");
});

test.each([
  [404, "not found"],
  [200, "<html>Welcome to nginx!</html>"],
  [200, '{"status":"fine"}'],
  [502, ""],
])("HTTP %i %j is somebody else's answer", async (status, body) => {
  const check = await checkPublicUrl("https://gateway.example.com", network({ status, body }), signal);
  expect(check).toMatchObject({ ok: false, sentence: expect.stringContaining(`HTTP ${status}`), remedy: expect.any(String) });
});

test("no answer is no proof, for not every network leads a machine to its own public address", async () => {
  const lost = new TransportError("CONNECT_FAILED", "no connection to gateway.example.com (ECONNREFUSED)");
  const check = await checkPublicUrl("https://gateway.example.com", network(lost), signal);
  expect(check).toMatchObject({ ok: true, remedy: expect.stringContaining("curl https://gateway.example.com/livez") });
});
