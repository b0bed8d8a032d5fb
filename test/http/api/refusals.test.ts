import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { ApiDeps } from "../../../src/http/api/deps.ts";
import { problemSchema } from "../../../src/http/problem.ts";
import { callAs, createApi, KEYS, SHOP } from "./app.ts";

let app: FastifyInstance;

beforeAll(async () => {
  app = await createApi();
});

afterAll(() => app.close());

const send = (path: string, payload: string, contentType = "application/json") =>
  app.inject({
    method: "POST",
    url: `/api/v1${path}`,
    headers: { authorization: `Bearer ${KEYS.admin}`, "content-type": contentType },
    payload,
  });

describe("a caller without a valid key", () => {
  test.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Basic YTpi",
    "Bearer wrong",
    `Token ${KEYS.admin}`,
    `Bearer ${KEYS.admin} ${KEYS.admin}`,
  ])("gets 401 for %j, on every route", async (authorization) => {
    for (const url of ["/api/v1/accounts", "/api/v1/conversations", "/api/v1/messages/ms_1", "/api/v1/nowhere"]) {
      const answer = await app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="wxdesk"');
      expect(answer.json()).toMatchObject({ code: "UNAUTHORIZED", status: 401 });
      expect(answer.body).not.toContain(KEYS.admin);
    }
  });

  test("is refused before its body is read", async () => {
    const answer = await app.inject({
      method: "POST",
      url: "/api/v1/accounts",
      headers: { "content-type": "application/json" },
      payload: "{",
    });
    expect(answer.statusCode).toBe(401);
  });
});

describe("a caller whose role does not suffice", () => {
  test.each([
    ["viewer", "POST", "/conversations/cv_1/messages", "operator"],
    ["viewer", "PATCH", "/conversations/cv_1", "operator"],
    ["viewer", "GET", "/accounts", "admin"],
    ["operator", "GET", "/accounts", "admin"],
    ["operator", "HEAD", "/accounts", "admin"],
    ["operator", "POST", "/accounts", "admin"],
    ["operator", "PATCH", "/accounts/shop", "admin"],
    ["operator", "DELETE", "/accounts/shop", "admin"],
    ["operator", "POST", "/accounts/shop/enable", "admin"],
    ["operator", "POST", "/accounts/shop/disable", "admin"],
    ["operator", "POST", "/accounts/shop/test", "admin"],
  ] as const)("a %s gets 403 for %s %s and is told that it takes %s", async (role, method, path, needed) => {
    const answer = await callAs(app, role)(method, path);
    expect(answer.statusCode).toBe(403);
    if (method !== "HEAD") expect(answer.json()).toMatchObject({ code: "FORBIDDEN", detail: expect.stringContaining(`role ${needed}`) });
  });
});

describe("a request that cannot be read", () => {
  test.each([
    ["not JSON", "{", "application/json", 400, "JSON_INVALID"],
    ["a prototype", '{"__proto__": {"admin": true}}', "application/json", 400, "JSON_INVALID"],
    ["too large", JSON.stringify("x".repeat(256 * 1024)), "application/json", 413, "BODY_TOO_LARGE"],
    ["no JSON by its type", "<xml/>", "text/xml", 415, "MEDIA_TYPE_UNSUPPORTED"],
    ["plain text", "{}", "text/plain", 415, "MEDIA_TYPE_UNSUPPORTED"],
    ["empty where a body is needed", "", "application/json", 400, "VALIDATION_FAILED"],
  ])("when it is %s", async (_what, payload, contentType, status, code) => {
    const answer = await send("/accounts", payload, contentType);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(problemSchema.parse(answer.json())).toMatchObject({ status, code });
    expect(answer.statusCode).toBe(status);
  });

  test("an unknown route says where the routes are", async () => {
    const answer = await callAs(app, "viewer")("GET", "/nowhere");
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: "NOT_FOUND", detail: expect.stringContaining("/openapi.json") });
  });
});

describe("an account that does not fit", () => {
  const wecom = { ...SHOP, kind: "wecom", wechat: { corpId: "ww0123456789abcdef", corpSecret: "corp-secret", agentId: 1000002 } };
  const wechat = (fields: object) => ({ ...SHOP, wechat: { ...SHOP.wechat, ...fields } });
  const desk = (fields: object) => ({ ...SHOP, desk: { ...SHOP.desk, ...fields } });
  const replies = (fields: object) => ({ ...SHOP, replies: fields });

  test.each<[string, object]>([
    ["#/id", { ...SHOP, id: "Shop" }],
    ["#/id", { ...SHOP, id: `a${"b".repeat(63)}` }],
    ["#/name", { ...SHOP, name: "  " }],
    ["#/kind", { ...SHOP, kind: "mini_program" }],
    ["#/wechat/appId", wechat({ appId: "wx 1" })],
    ["#/wechat/appSecret", wechat({ appSecret: undefined })],
    ["#/wechat/appSecret", wechat({ appSecret: null })],
    ["#/wechat/appSecret", wechat({ appSecret: "s3cret with blank" })],
    ["#/wechat/token", wechat({ token: "s3" })],
    ["#/wechat/token", wechat({ token: "s3cret-" })],
    ["#/wechat/encodingAesKey", wechat({ encodingAesKey: `s3cret${"a".repeat(36)}` })],
    ["#/wechat/encryption", wechat({ encryption: "none" })],
    ["#/wechat/apiBaseUrl", wechat({ apiBaseUrl: "https://api.example.com/?" })],
    ["#/wechat/apiBaseUrl", wechat({ apiBaseUrl: "https://user:s3cret@api.example.com" })],
    ["#/wechat/timestampToleranceSeconds", wechat({ timestampToleranceSeconds: -1 })],
    ["#/wechat/corpId", wechat({ corpId: "ww1" })],
    ["#/wechat/a~1b~0c%20d", wechat({ "a/b~c d": 1 })],
    ["#/desk/url", desk({ url: "ftp://example.com" })],
    ["#/desk/url", desk({ url: "https://example.com/im_callback?key=s3cret" })],
    ["#/desk/key", desk({ key: undefined })],
    ["#/desk/key", desk({ key: "" })],
    ["#/desk/pushToken", desk({ pushToken: "s3cret" })],
    ["#/desk/timeoutMs", desk({ timeoutMs: 99 })],
    ["#/desk/timeoutMs", desk({ timeoutMs: 10_001 })],
    ["#/desk/types/video", desk({ types: { video: "s3cret" } })],
    ["#/desk/types/sticker", desk({ types: { sticker: "text" } })],
    ["#/replies/passiveWaitMs", replies({ passiveWaitMs: 4_501 })],
    ["#/replies/async", replies({ async: "s3cret" })],
    ["#/secrets", { ...SHOP, secrets: { token: "s3cret" } }],
    ["#/wechat/agentId", { ...wecom, wechat: { ...wecom.wechat, agentId: "1000002" } }],
    ["#/wechat/corpSecret", { ...wecom, wechat: { ...wecom.wechat, corpSecret: undefined } }],
    ["#/wechat/encryption", { ...wecom, wechat: { ...wecom.wechat, encryption: "safe" } }],
  ])("is refused with a pointer to %s", async (pointer, document) => {
    const answer = await callAs(app, "admin")("POST", "/accounts", document);
    const problem = problemSchema.parse(answer.json());
    expect(answer.statusCode).toBe(400);
    expect(problem.code).toBe("VALIDATION_FAILED");
    expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer]);
  });

  test("gets all of its errors at once, and none of its values back", async () => {
    const document = {
      ...SHOP,
      id: "s3cret!",
      wechat: { appId: "", token: "s3cret!" },
      desk: { ...SHOP.desk, key: "s3cret s3cret", url: "s3cret" },
    };
    const answer = await callAs(app, "admin")("POST", "/accounts", document);
    const pointers = problemSchema.parse(answer.json()).errors?.map((error) => error.pointer);
    expect(pointers).toEqual(["#/id", "#/desk/url", "#/desk/key", "#/wechat/appId", "#/wechat/token"]);
    expect(answer.body).not.toContain("s3cret");
  });
});

describe("text that the database cannot hold", () => {
  test.each(["\0", "a\ud800", "\udc00b"])("is refused wherever it stands: %j", async (text) => {
    const call = callAs(app, "admin");
    const answers = [
      await call("POST", "/accounts", { ...SHOP, name: text }),
      await call("POST", "/conversations/cv_1/messages", { type: "text", text }),
      await send("/accounts", JSON.stringify({ ...SHOP, desk: { ...SHOP.desk, url: text } })),
      await call("PATCH", "/conversations/cv_1", { contact: { nickname: text } }),
    ];
    for (const answer of answers) expect(answer.json()).toMatchObject({ status: 400, code: "VALIDATION_FAILED" });
  });

  test.each([
    "/conversations?q=a%00",
    "/conversations/cv_%00",
    "/messages/%00",
    "/accounts/shop/contacts/o%00/conversation",
    "/conversations/cv_1/messages?cursor=%00",
  ])("is refused in an address: %s", async (path) => {
    const answer = await callAs(app, "admin")("GET", path);
    expect(answer.json()).toMatchObject({ status: 400, code: "VALIDATION_FAILED" });
  });
});

describe("a query that does not fit", () => {
  test.each([
    ["#/limit", "limit=0"],
    ["#/limit", "limit=201"],
    ["#/limit", "limit=ten"],
    ["#/limit", "limit="],
    ["#/limit", "limit=1&limit=2"],
    ["#/status", "status=busy"],
    ["#/updatedSince", "updatedSince=yesterday"],
    ["#/updatedSince", "updatedSince=0001-01-01T00:00:00Z"],
    ["#/accountID", "accountID=shop"],
  ])("is refused with a pointer to %s for ?%s", async (pointer, query) => {
    const answer = await callAs(app, "viewer")("GET", `/conversations?${query}`);
    expect(answer.json()).toMatchObject({ status: 400, errors: [{ in: "query", pointer }] });
  });

  test("a cursor that is not one of the list's is refused", async () => {
    const conversations = { list: async () => "bad-cursor" } as never;
    const other = await createApi({ conversations });
    const answer = await callAs(other, "viewer")("GET", "/conversations?cursor=abc");
    expect(answer.json()).toMatchObject({ status: 400, code: "CURSOR_INVALID", errors: [{ in: "query", pointer: "#/cursor" }] });
  });
});

describe("a message that does not fit", () => {
  test.each([
    ["#/type", { type: "image", text: "x" }],
    ["#/text", { type: "text", text: " \n " }],
    ["#/text", { type: "text", text: "\u0007\u200b" }],
    ["#/text", { type: "text", text: "x".repeat(20_001) }],
    ["#/to", { type: "text", text: "x", to: "oABC" }],
  ])("is refused with a pointer to %s", async (pointer, body) => {
    const answer = await callAs(app, "operator")("POST", "/conversations/cv_1/messages", body);
    expect(answer.json()).toMatchObject({ status: 400, errors: [{ in: "body", pointer }] });
  });

  test("so is an idempotency key of more than 200 characters", async () => {
    const headers = { "idempotency-key": "k".repeat(201) };
    const answer = await callAs(app, "operator")("POST", "/conversations/cv_1/messages", { type: "text", text: "x" }, headers);
    expect(answer.json()).toMatchObject({ status: 400, errors: [{ in: "header", pointer: "#/idempotency-key" }] });
  });
});

test("a failure nobody expected is a 500 that tells nothing of its cause", async () => {
  const answer = await callAs(app, "viewer")("GET", "/conversations");
  expect(problemSchema.parse(answer.json())).toMatchObject({ status: 500, code: "INTERNAL" });
  expect(answer.body).not.toMatch(/unexpected call|conversations\.list|at /);
});

test("deleting asks for the account's own id", async () => {
  for (const query of ["", "?confirm=", "?confirm=shop2"]) {
    const answer = await callAs(app, "admin")("DELETE", `/accounts/shop${query}`);
    expect(answer.json()).toMatchObject({ status: 400, code: "CONFIRMATION_MISSING" });
  }
});

test.each([
  ["DATABASE_UNAVAILABLE", "; if this was to change something, look first whether it did"],
  ["DATABASE_FULL", ""],
] as const)("while the database says no, also a key cannot be looked up: 503 with %s, and when to try again", async (code, doubt) => {
  const refused = new Error("no");
  const find = async () => {
    throw refused;
  };
  const fault = { code, what: "the database says no", remedy: "mend it", concerns: "database", origin: "53100" } as const;
  const offline = await createApi({
    apiKeys: { find } as unknown as ApiDeps["apiKeys"],
    toDatabaseFault: (error) => (error === refused ? fault : null),
  });
  onTestFinished(() => offline.close());
  const answer = await callAs(offline, "admin")("GET", "/accounts");
  expect(answer.statusCode).toBe(503);
  expect(answer.headers).toMatchObject({ "content-type": expect.stringContaining("application/problem+json"), "retry-after": "5" });
  const detail = `the database says no (53100); mend it; then try again (GET /readyz tells when)${doubt}`;
  expect(problemSchema.parse(answer.json())).toMatchObject({ code, detail });
});
