import { connect as openSocket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemSchema } from "../../src/http/problem.ts";
import {
  ADMIN_KEY,
  type ConnectedAccount,
  DESK_KEY,
  eventually,
  look,
  type OpenGateway,
  openGateway,
  toAppId,
} from "../support/gateway.ts";

let gateway: OpenGateway;
let shop: ConnectedAccount;

beforeAll(async () => {
  gateway = await openGateway();
  gateway.desk.setAnswer("*", { status: "queueing", turn: 1, agent_name: "", msg: "" });
  shop = await gateway.connect("official_account");
});

afterAll(() => gateway.close());

interface Call {
  key?: string | null;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Everything that any route has answered in this file. */
const heard: string[] = [];

async function call(method: string, path: string, { key = ADMIN_KEY, headers = {}, body }: Call = {}) {
  const response = await fetch(`${gateway.address}${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  heard.push(`${text}${JSON.stringify([...response.headers])}`);
  const type = response.headers.get("content-type") ?? "";
  return { status: response.status, type, text, json: () => JSON.parse(text) };
}

const api = (method: string, path: string, options?: Call) => call(method, `/api/v1${path}`, options);

type Answer = Awaited<ReturnType<typeof call>>;

function expectProblem({ status, type, text, json }: Answer, wanted: number, code: string): void {
  expect(type).toMatch(/^application\/problem\+json/);
  const problem = problemSchema.parse(json());
  expect({ status, body: problem.status, code: problem.code }).toEqual({ status: wanted, body: wanted, code });
  expect(problem.title).not.toBe("");
  expect(problem.detail).not.toBe("");
  expect(text).not.toMatch(/node_modules|FST_|stack|\bat \//);
}

const document = (id: string, wechat: object = {}, more: object = {}) => ({
  id,
  name: `Account ${id}`,
  kind: "official_account",
  wechat: { appId: toAppId(id), appSecret: "app-secret", apiBaseUrl: gateway.wechat.url, ...wechat },
  desk: { protocol: "udesk-message-interface", url: gateway.desk.url, key: DESK_KEY },
  ...more,
});

const company = (id: string, wechat: object = {}) => ({
  ...document(id),
  kind: "wecom",
  wechat: { corpId: "ww00000000000000cc", corpSecret: "corp-secret", agentId: 7, apiBaseUrl: gateway.wechat.url, ...wechat },
});

describe("an account's life", () => {
  test.each([
    ["an Official Account", () => document("life-oa"), "appSecret"],
    ["a WeCom app", () => company("life-wecom"), "corpSecret"],
  ] as const)("%s is made with what it lacks, changed, switched off and on, and removed", async (_what, make, appSecret) => {
    const given = make();
    const path = `/accounts/${given.id}`;
    const created = await api("POST", "/accounts", { body: given });
    expect(created.status).toBe(201);
    const account = created.json();
    expect(account).toMatchObject({ id: given.id, enabled: true, callbackUrl: `${gateway.address}/wechat/${given.id}` });
    expect(account.pushUrl).toMatch(new RegExp(`^${gateway.address}/desk/${given.id}/[A-Za-z0-9_-]{20,}$`));
    expect(account.generated).toEqual({
      token: expect.stringMatching(/^[A-Za-z0-9]{3,32}$/),
      encodingAesKey: expect.stringMatching(/^[A-Za-z0-9]{43}$/),
    });
    const mark = { set: true, hint: expect.stringMatching(/^…/), changedAt: expect.stringMatching(/^\d{4}-.*Z$/) };
    expect(account.wechat).toMatchObject({ token: mark, encodingAesKey: mark, [appSecret]: mark, timestampToleranceSeconds: 600 });
    expect(account.desk).toMatchObject({ key: mark, timeoutMs: 4_000, identity: "empty", requireSign: false, types: {} });
    expect(account.replies).toEqual({ async: true, notices: "changes", passiveWaitMs: 4_500 });

    const { kind, wechat } = given;
    const details = {
      encryption: "safe",
      accountName: "gh_1",
      ...wechat,
      ...account.generated,
      kind,
    } as ConnectedAccount["wechat"]["details"];
    const emulated = gateway.wechat.addAccount({ ...details, callbackUrl: account.callbackUrl });
    expect(await emulated.verifyUrl()).toMatchObject({ ok: true });
    expect(await emulated.sendText(`o-${given.id}`, "hello")).toMatchObject({ acknowledged: true });

    expectProblem(await api("POST", "/accounts", { body: given }), 409, "ACCOUNT_EXISTS");
    expect((await api("GET", path)).json()).toEqual({
      ...account,
      generated: undefined,
      pushUrl: expect.stringContaining(`/desk/${given.id}/…`),
    });
    const changed = await api("PATCH", path, { body: { name: "New name", replies: { notices: "never" } } });
    expect(changed.json()).toMatchObject({ name: "New name", replies: { async: true, notices: "never", passiveWaitMs: 4_500 } });
    expect((await api("GET", "/accounts")).json().items.map(({ id }: { id: string }) => id)).toContain(given.id);

    expect((await api("POST", `${path}/disable`)).json()).toMatchObject({ enabled: false });
    expect(await emulated.verifyUrl()).toMatchObject({ ok: false, status: 404 });
    expect(await emulated.sendText(`o-${given.id}`, "hello?")).toMatchObject({
      acknowledged: false,
      tries: Array(3).fill({ status: 404 }),
    });
    expectProblem(await api("POST", `${path}/test`), 409, "ACCOUNT_DISABLED");
    expect((await api("POST", `${path}/enable`, { body: "" })).json()).toMatchObject({ enabled: true });
    expect(await emulated.sendText(`o-${given.id}`, "hello again")).toMatchObject({ acknowledged: true });
    const { checks } = (await api("POST", `${path}/test`)).json();
    expect(checks.map(({ ok }: { ok: boolean }) => ok)).toEqual(checks.map(() => true));

    for (const query of ["", "?confirm=", "?confirm=shop", `?confirm=${given.id}&confirm=${given.id}`]) {
      expect((await api("DELETE", `${path}${query}`)).status).toBe(400);
    }
    const removed = await api("DELETE", `${path}?confirm=${given.id}`);
    expect([removed.status, removed.text]).toEqual([204, ""]);
    for (const method of ["GET", "PATCH"]) expectProblem(await api(method, path, method === "GET" ? {} : { body: {} }), 404, "NOT_FOUND");
    expect(await emulated.verifyUrl()).toMatchObject({ ok: false, status: 404 });
    expectProblem(await api("GET", `${path}/contacts/o-${given.id}/conversation`), 404, "NOT_FOUND");

    // The id is free again, and nothing of the past comes back.
    expect((await api("POST", "/accounts", { body: given })).status).toBe(201);
    expectProblem(await api("GET", `${path}/contacts/o-${given.id}/conversation`), 404, "NOT_FOUND");
  });

  test("the document that the contract shows is taken as it is, and comes back the same but for its secrets", async () => {
    const shown = {
      id: "as-shown",
      name: "Shop service account",
      kind: "official_account",
      wechat: {
        // The contract's own is the one of the account that this file talks with.
        appId: "wx0123456789abcdee",
        appSecret: "0123456789abcdef0123456789abcdef",
        token: "tok3n",
        encodingAesKey: `${"a".repeat(42)}G`,
        encryption: "safe",
        apiBaseUrl: "https://api.weixin.qq.com",
        timestampToleranceSeconds: 600,
      },
      desk: {
        protocol: "udesk-message-interface",
        url: "https://example.udesk.cn/spa1/im_callback",
        key: DESK_KEY,
        timeoutMs: 4000,
        identity: "empty",
        requireSign: false,
        types: { video: "text", location: "native" },
      },
      replies: { async: true, notices: "changes", passiveWaitMs: 4500 },
    };
    const created = await api("POST", "/accounts", { body: shown });
    expect(created.status).toBe(201);
    const mark = { set: true, hint: expect.any(String), changedAt: expect.any(String) };
    expect(created.json()).toMatchObject({
      ...shown,
      wechat: { ...shown.wechat, appSecret: mark, token: mark, encodingAesKey: mark },
      desk: { ...shown.desk, key: mark, pushToken: mark },
    });
  });

  test("what was given is not generated, and a plain account needs no key", async () => {
    const own = { token: "abc", encodingAesKey: "A".repeat(43) };
    expect((await api("POST", "/accounts", { body: document("own", own) })).json().generated).toEqual({});
    const plain = (await api("POST", "/accounts", { body: document("own-plain", { encryption: "plain" }) })).json();
    expect(Object.keys(plain.generated)).toEqual(["token"]);
    expect(plain.wechat.encodingAesKey).toEqual({ set: false, hint: null, changedAt: null, previous: [] });
  });

  test("a changed secret works at once, and so does the address of the platform", async () => {
    const connected = await gateway.connect("official_account", { id: "rotated", wechat: { appId: "wx00000000000000dd" } });
    const token = "anotherT0ken";
    expect((await api("PATCH", "/accounts/rotated", { body: { wechat: { token } } })).status).toBe(200);
    expect(await connected.wechat.verifyUrl()).toMatchObject({ ok: false, status: 401 });
    connected.wechat.details = { ...connected.wechat.details, token };
    expect(await connected.wechat.verifyUrl()).toMatchObject({ ok: true });
  });

  test("values are taken as they come from a console, with blanks around them and a slash behind an address", async () => {
    const wechat = {
      appId: " wx00000000000000ee\n",
      appSecret: "\tapp-secret ",
      token: " tok3n ",
      encodingAesKey: `${"b".repeat(43)}\r\n`,
    };
    const body = document(
      "pasted",
      { ...wechat, apiBaseUrl: ` ${gateway.wechat.url}/ ` },
      {
        name: " Pasted ",
        desk: { protocol: "udesk-message-interface", url: `${gateway.desk.url}/\n`, key: ` ${DESK_KEY} ` },
      },
    );
    const created = await api("POST", "/accounts", { body });
    expect(created.status).toBe(201);
    const { callbackUrl, ...account } = created.json();
    expect(account).toMatchObject({
      name: "Pasted",
      wechat: { appId: "wx00000000000000ee", apiBaseUrl: gateway.wechat.url },
      desk: { url: gateway.desk.url },
    });
    const trimmed = Object.fromEntries(Object.entries(wechat).map(([name, value]) => [name, value.trim()]));
    const details = {
      ...trimmed,
      kind: "official_account",
      encryption: "safe",
      accountName: "gh_2",
    } as ConnectedAccount["wechat"]["details"];
    const emulated = gateway.wechat.addAccount({ ...details, callbackUrl });
    expect(await emulated.verifyUrl()).toMatchObject({ ok: true });
    expect(await emulated.sendText("oPasted", "hello")).toMatchObject({ acknowledged: true });
    expect(gateway.desk.received("oPasted")).toHaveLength(1);
    const { checks } = (await api("POST", "/accounts/pasted/test")).json() as { checks: { name: string; ok: boolean }[] };
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);

    const changed = await api("PATCH", "/accounts/pasted", { body: { wechat: { apiBaseUrl: `${gateway.wechat.url}///` } } });
    expect(changed.json()).toMatchObject({ wechat: { apiBaseUrl: gateway.wechat.url } });
  });

  test.each([
    ["name", { name: "n".repeat(101) }],
    ["name", { name: "" }],
    ["name", { name: 7 }],
    ["id", { id: "a".repeat(64) }],
    ["id", { id: "" }],
    ["id", { id: "../shop" }],
    ["id", { id: null }],
    ["kind", { kind: "mini_program" }],
    ["desk", { desk: "https://example.com" }],
    ["wechat", { wechat: [] }],
    ["replies", { replies: null }],
  ])("a document is refused for its %s: %j", async (field, change) => {
    const answer = await api("POST", "/accounts", { body: { ...document("refused"), ...change } });
    expectProblem(answer, 400, "VALIDATION_FAILED");
    expect(answer.json().errors).toEqual([{ in: "body", pointer: `#/${field}`, detail: expect.any(String) }]);
  });

  test("the longest name is kept whole", async () => {
    const name = "客".repeat(100);
    expect((await api("POST", "/accounts", { body: { ...document("long-name"), name } })).json()).toMatchObject({ name });
  });
});

describe("no answer of any route holds a secret", () => {
  const secrets = {
    token: "s3crT0kenT0kenT0kenT0kenT0ken",
    encodingAesKey: "s3crKeyKeyKeyKeyKeyKeyKeyKeyKeyKeyKeyKeyKeyK",
    appSecret: "s3crApp0123456789abcdef0123456789",
    deskKey: "s3crDesk0123456789abcdef012345678",
  };
  const { token, appSecret } = secrets;
  const encodingAesKey = secrets.encodingAesKey.slice(0, 43);

  test("after a whole life with mistakes and failures", async () => {
    const desk = { protocol: "udesk-message-interface", url: "http://127.0.0.1:9/im_callback", key: secrets.deskKey };
    const body = document("discreet", { token, encodingAesKey, appSecret, apiBaseUrl: "http://127.0.0.1:9" }, { desk });
    const created = await api("POST", "/accounts", { body });
    const pushToken: string = created.json().pushUrl.split("/").at(-1);
    const afterCreation = heard.length;
    expect(created.text.replace(pushToken, "")).not.toMatch(/s3cr/);

    const path = "/accounts/discreet";
    await api("POST", "/accounts", { body });
    await api("POST", "/accounts", { body: { ...body, id: "No", wechat: { ...body.wechat, token: `${token}!` } } });
    await api("POST", "/accounts", { body: JSON.stringify(body).slice(0, -1) });
    await api("POST", "/accounts", { body: { ...body, secrets: { appSecret } } });
    await api("PATCH", path, { body: { wechat: { token: `${token}2` } } });
    await api("PATCH", path, { body: { wechat: { token: [token] }, desk: { key: { key: secrets.deskKey } } } });
    await api("GET", path);
    await api("GET", "/accounts");
    await api("POST", `${path}/test`);
    await call("POST", `/desk/discreet/${pushToken}`, { key: null, body: { touser: "oA", msgtype: "text", text: { content: "hi" } } });
    await call("POST", `/desk/discreet/${pushToken}`, { key: null, body: "{" });
    await call("POST", `/desk/discreet/${pushToken}/`, { key: null, body: "{" });
    await call("GET", `/desk/discreet/${pushToken}`, { key: null });
    await call("POST", "/wechat/discreet?signature=1&timestamp=1&nonce=1", { key: null, body: "<xml/>" });
    const conversation = await eventually(
      "the reply's failed try",
      async () => (await api("GET", `${path}/contacts/oA/conversation`)).json(),
      ({ pending }) => pending?.toCustomer === 1,
    );
    const { items } = (await api("GET", `/conversations/${conversation.id}/messages`)).json();
    const message = await eventually(
      "an attempt",
      async () => (await api("GET", `/messages/${items[0].id}`)).json(),
      ({ attempts }) => attempts.length > 0,
    );
    expect(message.attempts[0]).toMatchObject({ outcome: expect.any(String), startedAt: expect.any(String) });
    await api("GET", "/conversations?q=s3cret-of-nobody");
    for (const page of ["/openapi.json", "/docs", "/livez", "/readyz", "/nowhere"]) await call("GET", page, { key: null });
    await api("POST", `${path}/disable`);
    await api("POST", `${path}/enable`);
    await api("DELETE", `${path}?confirm=discreet`);

    for (const answer of heard.slice(afterCreation)) expect(answer).not.toContain(pushToken);
    for (const answer of heard) {
      for (const secret of [token, encodingAesKey, appSecret, secrets.deskKey, DESK_KEY, ADMIN_KEY]) expect(answer).not.toContain(secret);
    }
  });

  test("nor does the hint of a short one give it away", async () => {
    const created = await api("POST", "/accounts", { body: document("short", { token: "abc", appSecret: "pass" }) });
    for (const { hint } of [created.json().wechat.token, created.json().wechat.appSecret]) expect(hint).not.toMatch(/abc|pass/);
  });
});

describe("conversations", () => {
  test("pages neither repeat nor skip what was there, while new ones arrive", async () => {
    const paged = await gateway.connect("official_account", { id: "paged", wechat: { appId: "wx00000000000000f0" } });
    const contacts = Array.from({ length: 25 }, (_, index) => `oPaged${index}`);
    for (const openId of contacts) await paged.wechat.sendText(openId, "hello");
    await eventually(
      "all to be settled",
      async () => (await api("GET", "/conversations?accountId=paged&limit=200")).json().items,
      (items) => items.length === 25 && items.every(({ pending }: { pending: { toDesk: number } }) => pending.toDesk === 0),
    );
    const seen: string[] = [];
    let cursor: string | null = "";
    for (let page = 0; cursor !== null; page++) {
      const query: string = `accountId=paged&limit=4${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
      const { items, nextCursor }: { items: { openId: string }[]; nextCursor: string | null } = (
        await api("GET", `/conversations?${query}`)
      ).json();
      expect(items.length).toBeLessThanOrEqual(4);
      seen.push(...items.map(({ openId }) => openId));
      cursor = nextCursor;
      await paged.wechat.sendText(`oLate${page}`, "hello");
    }
    expect(seen.sort()).toEqual(contacts.sort());
    const newest = (await api("GET", "/conversations?accountId=paged&limit=1")).json().items[0];
    expect(newest.openId).toMatch(/^oLate/);
  });

  test("are found by each filter, and by none that does not fit", async () => {
    const filtered = await gateway.connect("official_account", { id: "filtered", wechat: { appId: "wx00000000000000f1" } });
    gateway.desk.setAnswer("oBusy", { status: "chatting", turn: 0, agent_name: "Lily 100%_\\", msg: "" });
    const before = new Date().toISOString();
    await filtered.wechat.sendText("oWaiting", "hello");
    const busy = filtered.wechat.sendText("oBusy", "hello");
    await gateway.desk.waitForReceived("oBusy", 1);
    await gateway.desk.pushText("oBusy", "hi", { messageId: "f1" });
    await busy;
    const find = async (query: string) =>
      (await api("GET", `/conversations?accountId=filtered&${query}`))
        .json()
        .items.map(({ openId }: { openId: string }) => openId)
        .sort();
    const both = ["oBusy", "oWaiting"];
    for (const [query, found] of [
      ["", both],
      ["status=chatting", ["oBusy"]],
      ["status=queueing", ["oWaiting"]],
      ["status=offline", []],
      [`agentName=${encodeURIComponent("Lily 100%_\\")}`, ["oBusy"]],
      ["agentName=Lily", []],
      ["q=wait", ["oWaiting"]],
      ["q=lily", ["oBusy"]],
      ["q=%25", ["oBusy"]],
      ["q=%5C", ["oBusy"]],
      ["q=_", ["oBusy"]],
      ["q=%25%25", []],
      [`updatedSince=${before}`, both],
      [`updatedSince=${encodeURIComponent("2100-01-01T00:00:00+08:00")}`, []],
    ] as const) {
      expect({ query, found: await find(query) }).toEqual({ query, found });
    }
    expect((await api("GET", "/conversations?accountId=nobody")).json()).toEqual({ items: [], nextCursor: null });
  });

  test.each(["li.si_01-a@example.com", "o A", "客户", "a/b", "a%2Fb", "a?b#c&d=e", "a+b", "o:*|"])(
    "of the contact %s is found by its name",
    async (openId) => {
      expect(await shop.wechat.sendText(openId, "hello")).toMatchObject({ acknowledged: true });
      const found = await api("GET", `/accounts/shop/contacts/${encodeURIComponent(openId)}/conversation`);
      expect(found.json()).toMatchObject({ openId, accountId: "shop", status: "queueing", turn: 1 });
      const again = await api("GET", `/conversations/${found.json().id}`);
      expect({ ...again.json(), reply: {}, pending: {} }).toEqual({ ...found.json(), reply: {}, pending: {} });
    },
  );

  test("have messages in pages, and each message its attempts", async () => {
    for (const text of ["one", "two", "three", "four", "five"]) await shop.wechat.sendText("oTalker", text);
    const { conversation } = await look(gateway, shop, "oTalker");
    const first = (await api("GET", `/conversations/${conversation.id}/messages?limit=2`)).json();
    await shop.wechat.sendText("oTalker", "six");
    const path = `/conversations/${conversation.id}/messages?limit=2&cursor=${first.nextCursor}`;
    const second = (await api("GET", path)).json();
    const read = ({ items }: { items: { text: string }[] }) => items.map(({ text }) => text);
    expect([read(first), read(second)]).toEqual([
      ["five", "four"],
      ["three", "two"],
    ]);
    const message = (await api("GET", `/messages/${second.items[0].id}`)).json();
    expect(message).toMatchObject({
      text: "three",
      direction: "inbound",
      type: "text",
      state: "forwarded",
      content: { type: "text", text: "three" },
    });
    expect(message.attempts).toMatchObject([{ number: 1, outcome: "done", durationMs: expect.any(Number) }]);
    expect(second.items[0].attempts).toBe(1);
  });

  test("a contact's number and e-mail are signed and sent to the desk with the next message", async () => {
    await shop.wechat.sendText("oKnown", "hello");
    const { conversation } = await look(gateway, shop, "oKnown");
    const contact = { nickname: "Li Si", number: "+86 135-7422-1234", email: "li.si@example.com" };
    const patched = await api("PATCH", `/conversations/${conversation.id}`, { body: { contact } });
    expect(patched.json()).toMatchObject({ id: conversation.id, contact });
    await shop.wechat.sendText("oKnown", "now you know me");
    await gateway.desk.waitForReceived("oKnown", 2);
    expect(gateway.desk.received("oKnown")).toMatchObject([
      { number: "", email: "" },
      { number: "8613574221234", email: "li.si@example.com" },
    ]);
    const removed = await api("PATCH", `/conversations/${conversation.id}`, { body: { contact: { number: null } } });
    expect(removed.json().contact).toEqual({ ...contact, number: null });
  });
});

describe("a message of an operator", () => {
  test("is said once however often it is asked for with the same key", async () => {
    await shop.wechat.sendText("oHeld", "hello");
    const { conversation } = await look(gateway, shop, "oHeld");
    const path = `/conversations/${conversation.id}/messages`;
    const say = (text: string, key?: string) =>
      api("POST", path, { body: { type: "text", text }, ...(key === undefined ? {} : { headers: { "idempotency-key": key } }) });
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => say("hello from us 😀", "k-1")));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201]);
    expect(new Set(answers.map((answer) => answer.json().id)).size).toBe(1);
    expectProblem(await say("other words", "k-1"), 422, "IDEMPOTENCY_KEY_REUSED");
    expect((await say("twice")).status).toBe(201);
    expect((await say("twice")).status).toBe(201);
    expect((await say("hello from us 😀", "k-2")).status).toBe(201);
    const seen = await gateway.wechat.waitForSeen("oHeld", 4);
    expect(seen.map(({ text }) => text)).toEqual(["hello from us 😀", "twice", "twice", "hello from us 😀"]);
    const { messages } = await eventually(
      "all to be sent",
      () => look(gateway, shop, "oHeld"),
      (shown) => shown.messages.slice(1).every(({ state }) => state === "sent"),
    );
    expect(messages.slice(1)).toMatchObject(Array(4).fill({ direction: "outbound", origin: "operator", way: "async" }));
  });

  test("the same key in another conversation is another message", async () => {
    for (const openId of ["oKeyA", "oKeyB"]) {
      await shop.wechat.sendText(openId, "hello");
      const { conversation } = await look(gateway, shop, openId);
      const options = { body: { type: "text", text: `hi ${openId}` }, headers: { "idempotency-key": "same" } };
      expect((await api("POST", `/conversations/${conversation.id}/messages`, options)).status).toBe(201);
      await gateway.wechat.waitForSeen(openId, 1);
    }
  });
});

describe("what the API refuses", () => {
  test.each([
    ["no key", { key: null }, 401, "UNAUTHORIZED"],
    ["a wrong key", { key: "wrong" }, 401, "UNAUTHORIZED"],
    ["a key with a NUL", { key: "a%00" }, 401, "UNAUTHORIZED"],
  ] as const)("%s on any route", async (_what, options, status, code) => {
    for (const path of ["/accounts", "/conversations", "/messages/x", "/nowhere", "/accounts/shop/test"]) {
      expectProblem(await api("GET", path, options), status, code);
    }
  });

  test.each([
    ["GET", "/nowhere"],
    ["GET", ""],
    ["GET", "/accounts/nobody"],
    ["GET", "/accounts/SHOP"],
    ["GET", "/accounts/x/contacts/y/conversation"],
    ["GET", "/conversations/cv_0"],
    ["GET", "/conversations/cv_0/messages"],
    ["GET", "/messages/ms_0"],
    ["GET", `/messages/${"x".repeat(299)}`],
    ["GET", "/messages/%F0%9F%98%80"],
    ["POST", "/accounts/nobody/enable"],
    ["POST", "/accounts/nobody/test"],
    ["DELETE", "/accounts/nobody?confirm=nobody"],
    ["PUT", "/accounts/shop"],
    ["POST", "/conversations"],
  ])("%s %s with 404", async (method, path) => {
    expectProblem(await api(method, path), 404, "NOT_FOUND");
  });

  test.each(["/accounts/%", "/accounts/%zz", "/conversations/%c3%28", "/messages/%ff", "/accounts/shop/contacts/%/conversation", "/%"])(
    "the address %s, with a problem that tells nothing of our insides",
    async (path) => {
      const answer = await api("GET", path);
      expect([400, 404]).toContain(answer.status);
      expectProblem(answer, answer.status, answer.json().code);
    },
  );

  test.each([
    "/accounts/%00",
    "/conversations/%00",
    "/conversations/cv_0/messages?cursor=%00",
    "/conversations?q=%00",
    "/conversations?cursor=e30",
    "/conversations?q=%zz&limit=x",
    "/conversations?__proto__=1",
    "/conversations?limit[]=1",
    "/conversations?accountId=a&accountId=b",
    `/conversations?q=${"x".repeat(201)}`,
    "/conversations?updatedSince=2026-02-30T00:00:00Z",
  ])("the address %s with 400", async (path) => {
    const answer = await api("GET", path);
    expectProblem(answer, 400, answer.json().code);
  });

  test.each<[string, string, number, string]>([
    ["no JSON", "{", 400, "JSON_INVALID"],
    ["JSON null", "null", 400, "VALIDATION_FAILED"],
    ["a list", "[]", 400, "VALIDATION_FAILED"],
    ["a prototype", '{"__proto__":{"id":"x"}}', 400, "JSON_INVALID"],
    ["20 000 levels", `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`, 400, "VALIDATION_FAILED"],
    ["half a pair", '{"type":"text","text":"a\\ud800"}', 400, "VALIDATION_FAILED"],
    ["a NUL", '{"type":"text","text":"a\\u0000"}', 400, "VALIDATION_FAILED"],
    ["more than 256 KiB", JSON.stringify({ type: "text", text: "x".repeat(256 * 1024) }), 413, "BODY_TOO_LARGE"],
  ])("a body that is %s", async (_what, body, status, code) => {
    await shop.wechat.sendText("oBodies", "hello");
    const { conversation } = await look(gateway, shop, "oBodies");
    for (const [method, path] of [
      ["POST", "/accounts"],
      ["PATCH", "/accounts/shop"],
      ["POST", `/conversations/${conversation.id}/messages`],
      ["PATCH", `/conversations/${conversation.id}`],
    ] as const) {
      expectProblem(await api(method, path, { body }), status, code);
    }
  });

  test("a contact that is not one", async () => {
    await shop.wechat.sendText("oContacts", "hello");
    const { conversation } = await look(gateway, shop, "oContacts");
    for (const contact of [{}, { email: "no e-mail" }, { number: 7 }, { phone: "1" }, { nickname: "" }, null, { email: "" }]) {
      expectProblem(await api("PATCH", `/conversations/${conversation.id}`, { body: { contact } }), 400, "VALIDATION_FAILED");
    }
    expectProblem(await api("PATCH", "/conversations/cv_0", { body: { contact: { number: "1" } } }), 404, "NOT_FOUND");
  });

  test("what is no HTTP, while others are served", async () => {
    const { hostname, port } = new URL(gateway.address);
    const answers = await Promise.all(
      [
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /wechat/shop HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        `GET /${"x".repeat(100_000)} HTTP/1.1\r\n\r\n`,
      ].map(
        (bytes) =>
          new Promise<string>((resolve, reject) => {
            let answer = "";
            const socket = openSocket(Number(port), hostname, () => socket.write(bytes, "latin1"));
            socket.on("data", (piece) => {
              answer += piece.toString();
            });
            socket.on("close", () => resolve(answer));
            socket.on("error", reject);
          }),
      ),
    );
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect((await call("GET", "/livez")).status).toBe(200);
  });
});

describe("operations", () => {
  test("says that it lives and is ready, to anybody", async () => {
    expect((await call("GET", "/livez", { key: null })).json()).toEqual({ status: "ok" });
    const ready = await call("GET", "/readyz", { key: null });
    expect(ready.status).toBe(200);
    expect(ready.json()).toMatchObject({ status: "ok", checks: { database: "ok", migrations: "ok", worker: "ok" } });
  });

  test("describes each of its routes in OpenAPI 3.1, and serves the documentation", async () => {
    const answer = await call("GET", "/openapi.json", { key: null });
    expect([answer.status, answer.type]).toEqual([200, expect.stringMatching(/^application\/json/)]);
    const { openapi, paths } = answer.json();
    expect(openapi).toMatch(/^3\.1\./);
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        "/api/v1/accounts",
        "/api/v1/accounts/{id}",
        "/api/v1/accounts/{id}/enable",
        "/api/v1/accounts/{id}/disable",
        "/api/v1/accounts/{id}/test",
        "/api/v1/accounts/{id}/contacts/{openId}/conversation",
        "/api/v1/conversations",
        "/api/v1/conversations/{id}",
        "/api/v1/conversations/{id}/messages",
        "/api/v1/messages/{id}",
        "/livez",
        "/readyz",
      ]),
    );
    const docs = await fetch(`${gateway.address}/docs`);
    expect([docs.status, docs.headers.get("content-type")]).toEqual([200, expect.stringMatching(/^text\/html/)]);
  });
});
