import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../src/base/logger.ts";
import type { ApiKey } from "../../src/domain/api-key.ts";
import type { ApiDeps } from "../../src/http/api/deps.ts";
import { createHttpServer } from "../../src/http/server.ts";

const ADMIN: ApiKey = {
  id: "key_1",
  name: "admin",
  role: "admin",
  accountIds: [],
  createdAt: new Date(0),
  lastUsedAt: null,
  expiresAt: null,
};

let app: FastifyInstance;
let port: number;

beforeAll(async () => {
  app = await createHttpServer({
    logger: createLogger({ level: "silent" }),
    version: "0.0.0",
    surfaces: null,
    api: { apiKeys: { find: async () => ADMIN, touch: async () => {} } } as unknown as ApiDeps,
    operations: {
      health: { check: async () => {} },
      toDatabaseFault: () => null,
      lastFault: { current: () => null, forget: () => {} },
      worker: () => true,
      isStopping: () => false,
    },
    limits: { headersTimeoutMs: 150, requestTimeoutMs: 300, checkIntervalMs: 20 },
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  port = (app.server.address() as AddressInfo).port;
});

afterAll(() => app.close());

/** Writes these bytes, then nothing more, and gives what came back until the other side hung up. */
async function say(bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(bytes);
  return text(socket);
}

function problemIn(answer: string): unknown {
  expect(answer).toContain("application/problem+json");
  return JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")));
}

describe("a client", () => {
  test.each([
    ["never ends its headers", "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "],
    [
      "never ends its body",
      'POST /api/v1/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"id',
    ],
  ])("that %s is cut off, and others are served meanwhile", async (_name, bytes) => {
    const slow = say(bytes);
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
    expect(await slow).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("that never ends its headers is told so", async () => {
    expect(problemIn(await say("GET /livez HTTP/1.1\r\n"))).toMatchObject({ status: 408, code: "REQUEST_TIMEOUT" });
  });

  test("that sends more than 16 KiB of headers is refused with a problem", async () => {
    const answer = await say(`GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(problemIn(answer)).toMatchObject({ status: 431, code: "HEADERS_TOO_LARGE" });
  });

  test.each(["/livez", "/nowhere", "/api/v1/accounts"])("that names no host is refused with a problem, on %s", async (path) => {
    const answer = await say(`GET ${path} HTTP/1.1\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(problemIn(answer)).toMatchObject({ status: 400, code: "REQUEST_INVALID", detail: expect.stringContaining("Host") });
    expect(await say("GET /livez HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("that expects what nobody knows is refused with a problem, and 100-continue goes on", async () => {
    const answer = await say("GET /livez HTTP/1.1\r\nHost: x\r\nExpect: foo\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 417 /);
    expect(answer.slice(answer.indexOf("\r\n\r\n"))).toContain('"code":"EXPECTATION_UNKNOWN"');
    const going = await say("GET /livez HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
    expect(going).toMatch(/^HTTP\/1\.1 100 [\s\S]*HTTP\/1\.1 200 /);
  });

  test("that does not speak HTTP is refused with a problem that repeats nothing", async () => {
    const answer = await say("s3cret\r\n\r\n");
    expect(problemIn(answer)).toMatchObject({ status: 400, code: "REQUEST_INVALID" });
    expect(answer).not.toContain("s3cret");
  });
});

describe("every answer", () => {
  test.each(["/livez", "/openapi.json", "/docs/", "/nowhere", "/api/v1/accounts"])("to %s tells browsers to be careful", async (path) => {
    const { headers } = await app.inject(path);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "content-security-policy": expect.stringMatching(/default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/),
    });
    expect(headers).not.toHaveProperty("x-powered-by");
    expect(headers).not.toHaveProperty("server");
  });

  test("lets the page of the API description load all that it asks for", async () => {
    const { body, headers } = await app.inject("/docs/");
    const loaded = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = ""]) => address);
    expect(loaded.length).toBeGreaterThan(3);
    for (const address of loaded) {
      const path = new URL(address, "http://gateway.example/docs/");
      expect(path.origin).toBe("http://gateway.example");
      expect((await app.inject(path.pathname)).statusCode).toBe(200);
    }
    // What stands in the page itself does not run under this policy, so nothing may.
    expect(body).not.toMatch(/<script>|<script [^>]*>\s*\S+\s*<\/script>|onload=/);
    expect(headers["content-security-policy"]).toMatch(/script-src 'self';/);
  });
});
