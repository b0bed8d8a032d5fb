import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createHttpClient, type HttpClient } from "../../src/base/http-client.ts";

let client: HttpClient;
let server: Server | undefined;

beforeEach(() => {
  client = createHttpClient();
});

afterEach(async () => {
  await client.close();
  server?.close();
});

/** A server that reads until the request is there and then writes these bytes; null: nothing. */
async function answering(bytes: string | Buffer | null): Promise<{ url: string; received: string[] }> {
  const received: string[] = [];
  const listening = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      received.push(chunk.toString());
      if (bytes !== null) socket.end(bytes);
    });
  });
  server = listening;
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const address = listening.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}/path?name=value`, received };
}

function exchange(url: string, options: { timeoutMs?: number; signal?: AbortSignal; bytesMax?: number } = {}) {
  return client.exchange({ method: "POST", url, body: "hello", timeoutMs: 5_000, ...options });
}

const ANSWER = "HTTP/1.1 207 Odd\r\nContent-Length: 5\r\nX-Twice: one\r\nX-Twice: two\r\nConnection: close\r\n\r\nworld";

test("gives status, headers by their lower-case names and the bytes of the body", async () => {
  const { url, received } = await answering(ANSWER);
  const { status, headers, body } = await exchange(url);
  expect({ status, body: body.toString() }).toEqual({ status: 207, body: "world" });
  expect(headers).toMatchObject({ "content-length": "5", "x-twice": "one" });
  expect(received.join("")).toMatch(/^POST \/path\?name=value HTTP\/1\.1\r\n[\s\S]*user-agent: wxdesk[\s\S]*hello$/i);
});

test("an answer without a body is an empty one", async () => {
  const { url } = await answering("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  expect(await exchange(url)).toMatchObject({ status: 204, body: Buffer.alloc(0) });
});

test("a compressed answer that nobody asked for is read, whatever its status", async () => {
  for (const status of ["200 OK", "400 Bad Request", "503 Service Unavailable"]) {
    const { url, received } = await answering(gzipped(status, "world"));
    expect((await exchange(url)).body.toString()).toBe("world");
    expect(received.join("")).not.toMatch(/accept-encoding/i);
    server?.close();
  }
});

function gzipped(status: string, text: string): Buffer {
  const body = gzipSync(text);
  const head = `HTTP/1.1 ${status}\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

test.each([
  ["a small answer that decompresses to a large one", gzipped("200 OK", "x".repeat(5_000)), { bytesMax: 1_000 }],
  ["an answer that is longer than allowed", ANSWER, { bytesMax: 4 }],
  ["an answer that ends in its midst", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", {}],
  ["an answer that is no HTTP", "hello yourself", {}],
  ["no answer in time", null, { timeoutMs: 50 }],
])("after %s nobody knows whether the other side took it", async (_what, bytes, options) => {
  const { url } = await answering(bytes);
  await expect(exchange(url, options)).rejects.toMatchObject({ code: "ANSWER_LOST" });
});

test.each([
  ["nobody listens", "http://127.0.0.1:9/"],
  ["the address is none", "not an address"],
  ["the address is of another kind", "ftp://127.0.0.1/file"],
])("no byte leaves where %s", async (_what, url) => {
  await expect(exchange(url)).rejects.toMatchObject({ code: "CONNECT_FAILED" });
});

test("no byte leaves for who was stopped before", async () => {
  const { url, received } = await answering(ANSWER);
  await expect(exchange(url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CONNECT_FAILED" });
  await exchange(url);
  expect(received).toHaveLength(1);
});

test("who is stopped while the answer is awaited hears of it at once", async () => {
  const { url, received } = await answering(null);
  const stop = new AbortController();
  const waiting = expect(exchange(url, { signal: stop.signal })).rejects.toMatchObject({ code: "ANSWER_LOST" });
  await expect.poll(() => received.length).toBe(1);
  stop.abort();
  await waiting;
});

test("no error tells more of an address than its host", async () => {
  const error: unknown = await exchange("http://127.0.0.1:9/path?access_token=s3cret").catch((failure: unknown) => failure);
  expect(String(error)).toContain("127.0.0.1:9");
  expect(String(error)).not.toContain("s3cret");
});
