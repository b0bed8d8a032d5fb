import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../src/base/logger.ts";
import { wxdeskHere } from "../cli/wxdesk.ts";
import { get, nowSeconds, post, seal, signCallback, textXml } from "../http/signed-callback.ts";
import { type ConnectedAccount, eventually, type OpenGateway, openGateway } from "../support/gateway.ts";
import { createMarks } from "./marks.ts";
import { type NosyDesk, readColumns, runSql, type Seen, startNosyDesk } from "./stage.ts";

const secrets = createMarks();
const words = createMarks();
const hex = (bytes: number) => randomBytes(bytes).toString("hex");
const alphanumerics = (length: number) => Array.from({ length }, () => "abcdefghkmnpqrstuvwxyzABCDEFGH23456789"[randomInt(38)]).join("");

const OF_SHOP = {
  token: secrets.add("token", alphanumerics(32)),
  encodingAesKey: secrets.add("encodingAesKey", alphanumerics(43)),
  appSecret: secrets.add("appSecret", hex(16)),
};
const OF_COMPANY = {
  token: secrets.add("token of WeCom", alphanumerics(32)),
  encodingAesKey: secrets.add("encodingAesKey of WeCom", alphanumerics(43)),
  corpSecret: secrets.add("corpSecret", randomBytes(32).toString("base64url")),
};
const DESK_KEY = secrets.add("desk key", hex(16));
const ADMIN_KEY = secrets.add("admin key", `wxk_${alphanumerics(40)}`);
const WRONG_KEY = secrets.add("an API key that is wrong", `wxk_wrong_${alphanumerics(30)}`);
const MASTER_KEY = secrets.add("master key", randomBytes(32).toString("base64"));

const say = (who: string) => words.add(`${who} said`, `${alphanumerics(16)} "quoted" äöü ${who}`);

/** Everything that may be read by somebody; the second kind shows conversations, so that words of people belong there. */
const seen: Seen[] = [];
const conversations: Seen[] = [];
const events = new Set<string>();
const codes = new Set<string>();

let gateway: OpenGateway;
let nosy: NosyDesk;

/** One request to the gateway; the whole answer is kept, headers included. */
async function call(
  method: string,
  path: string,
  body?: unknown,
  options: { key?: string; showsConversations?: boolean; raw?: string; type?: string } = {},
) {
  const payload = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(`${gateway.address}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${options.key ?? ADMIN_KEY}`,
      ...(payload !== undefined && { "content-type": options.type ?? "application/json" }),
    },
    ...(payload !== undefined && { body: payload }),
  });
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : null;
  if (typeof json?.code === "string") codes.add(json.code);
  // What these hold is shown this once, because it has to be pasted or handed on: the only exceptions.
  const showsOnce = method === "POST" && /^\/api\/v1\/(accounts|accounts\/\w+\/secrets\/\w+|api-keys)$/.test(path);
  const { generated: _generated, pushUrl: _pushUrl, key: _key, ...rest } = showsOnce && json ? json : { text };
  const shown = {
    where: `${method} ${path.split("?")[0]}`,
    text: `${response.status} ${JSON.stringify([...response.headers])} ${JSON.stringify(rest)}`,
  };
  (options.showsConversations ? conversations : seen).push(shown);
  return { status: response.status, json, text };
}

async function connect(kind: "official_account" | "wecom", wechat: Record<string, unknown>): Promise<ConnectedAccount> {
  const own = kind === "wecom" ? { corpId: "ww8f3c1d7e2a9b4056", agentId: 1_000_002 } : { appId: "wx0123456789abcdef" };
  const id = kind === "wecom" ? "company" : "shop";
  const settings = { ...own, ...wechat, apiBaseUrl: gateway.wechat.url };
  const desk = { protocol: "udesk-message-interface", url: nosy.url, key: DESK_KEY };
  const { json } = await call("POST", "/api/v1/accounts", {
    id,
    name: `Test ${kind}`,
    kind,
    wechat: settings,
    desk,
    replies: { passiveWaitMs: 0 },
  });
  secrets.add(`push token of ${id}`, new URL(json.pushUrl).pathname.split("/").at(-1) ?? "");
  const details = { encryption: "safe", accountName: "gh_0123456789ab", ...settings, kind };
  return {
    id,
    callbackUrl: json.callbackUrl,
    pushUrl: json.pushUrl,
    wechat: gateway.wechat.addAccount({ ...(details as unknown as ConnectedAccount["wechat"]["details"]), callbackUrl: json.callbackUrl }),
  };
}

/** One message of a contact as WeChat sends it, through to the desk. */
async function write(account: ConnectedAccount, openId: string): Promise<void> {
  const callback = signCallback(account.wechat, textXml(openId, say("contact")));
  for (const name of ["msg_signature", "signature"]) {
    const signature = callback.query[name];
    if (typeof signature === "string") secrets.add(`${name} of a callback`, signature);
  }
  account.wechat.followers.wrote(openId);
  const { status, text } = await post(account.callbackUrl, callback);
  expect([200, 503]).toContain(status);
  if (status !== 200) seen.push({ where: "POST /wechat", text });
}

const inboundCodes = async (openId: string) => {
  const { json } = await call("GET", `/api/v1/accounts/shop/contacts/${openId}/conversation`, undefined, { showsConversations: true });
  const { json: page } = await call("GET", `/api/v1/conversations/${json.id}/messages`, undefined, { showsConversations: true });
  const all = await Promise.all(
    page.items.map(({ id }: { id: string }) => call("GET", `/api/v1/messages/${id}`, undefined, { showsConversations: true })),
  );
  const attempts = all.flatMap(({ json: message }) => message.attempts as { outcome: string; code: string | null }[]);
  for (const { code } of attempts) if (code !== null) codes.add(code);
  return attempts.map(({ code, outcome }) => code ?? outcome);
};

const until = (openId: string, code: string) =>
  eventually(
    `${openId} met ${code}`,
    () => inboundCodes(openId),
    (met) => met.includes(code),
  );

beforeAll(async () => {
  const logTo = {
    write: (line: string) => {
      seen.push({ where: "log", text: line });
      events.add(JSON.parse(line).msg);
    },
  };
  nosy = await startNosyDesk(secrets);
  gateway = await openGateway({
    logTo,
    environment: { WXDESK_LOG_LEVEL: "trace", WXDESK_ADMIN_KEY: ADMIN_KEY, WXDESK_MASTER_KEY: MASTER_KEY },
  });
  const shop = await connect("official_account", OF_SHOP);
  const company = await connect("wecom", OF_COMPANY);
  await playAccounts();
  await playCallbacks(shop, company);
  await playDesk(shop);
  await playPushes(shop);
  await playPlatform(shop, company);
  await playPeople();
  await playRotation(shop);
  await playCommands();
  await playFaults(shop);
  for (const path of ["/openapi.json", "/docs/", "/livez", "/readyz", "/nowhere", "/api/v1/nowhere"]) await call("GET", path);
  const { ofPeople, others } = await readColumns(gateway);
  conversations.push(...ofPeople);
  seen.push(...others);
});

afterAll(async () => {
  await gateway.close();
  nosy.close();
});

async function playAccounts(): Promise<void> {
  await call("GET", "/api/v1/accounts");
  await call("GET", "/api/v1/accounts/shop");
  await call("PATCH", "/api/v1/accounts/shop", { name: "New name", wechat: { appSecret: OF_SHOP.appSecret }, desk: { key: DESK_KEY } });
  // Values of the wrong kind, in the wrong place, or not JSON at all.
  await call("PATCH", "/api/v1/accounts/shop", {
    wechat: { token: `${OF_SHOP.token} with blanks`, encodingAesKey: `${OF_SHOP.encodingAesKey}!` },
  });
  await call("PATCH", "/api/v1/accounts/shop", { desk: { url: `ftp://user:${DESK_KEY}@desk`, timeoutMs: DESK_KEY } });
  await call("PATCH", "/api/v1/accounts/shop", undefined, { raw: `{"wechat":{"appSecret":"${OF_SHOP.appSecret}"` });
  await call("PATCH", "/api/v1/accounts/shop", undefined, { raw: `key=${DESK_KEY}`, type: "application/x-www-form-urlencoded" });
  await call("POST", "/api/v1/accounts", {
    id: "shop",
    name: "x",
    kind: "official_account",
    wechat: { appId: "wx1", ...OF_SHOP },
    desk: { protocol: "udesk-message-interface", url: nosy.url, key: DESK_KEY },
  });
  await call("GET", "/api/v1/accounts", undefined, { key: WRONG_KEY });
  await call("GET", `/api/v1/conversations?accountId=shop&key=${WRONG_KEY}`);
  await call("DELETE", `/api/v1/accounts/shop?confirm=${WRONG_KEY}`);
  await call("POST", "/api/v1/accounts/shop/test");
  await call("POST", "/api/v1/accounts/shop/disable");
  await call("POST", "/api/v1/accounts/shop/test");
  await call("POST", "/api/v1/accounts/shop/enable");
}

async function playCallbacks(shop: ConnectedAccount, company: ConnectedAccount): Promise<void> {
  await write(shop, "oA");
  await write(company, "zhangsan");
  const refuse = async (callback: ReturnType<typeof signCallback>) => {
    const { status, text } = await post(shop.callbackUrl, callback);
    expect(status).toBeGreaterThanOrEqual(400);
    seen.push({ where: "POST /wechat", text });
  };
  const genuine = signCallback(shop.wechat, textXml("oA", say("forger")));
  await refuse({ ...genuine, query: { ...genuine.query, msg_signature: secrets.add("a forged signature", hex(20)) } });
  await refuse(signCallback(shop.wechat, textXml("oA", say("late contact")), { timestamp: nowSeconds(-10_000) }));
  await refuse(signCallback(shop.wechat, textXml("oA", say("other account's contact")), { receiverId: "wx0000000000000000" }));
  await refuse(signCallback(shop.wechat, textXml("oA", say("plain contact")), { encrypted: false }));
  const otherKey = { ...shop.wechat.details, encodingAesKey: alphanumerics(43) };
  await refuse(signCallback(shop.wechat, "", { ciphertext: seal(otherKey, Buffer.from(textXml("oA", say("contact of another key")))) }));
  await refuse(signCallback(shop.wechat, `<!DOCTYPE x>${textXml("oA", say("attacker"))}`));
  const { text } = await get(shop.callbackUrl, { ...genuine.query, signature: "0".repeat(40), echostr: say("echo") });
  seen.push({ where: "GET /wechat", text });
}

async function playDesk(shop: ConnectedAccount): Promise<void> {
  const answers: [string, string, (query: string) => { status: number; body: string }][] = [
    ["oDesk500", "DESK_HTTP_500", (query) => ({ status: 500, body: `no such request: /spa1/im_callback${query}` })],
    ["oDesk403", "DESK_HTTP_403", (query) => ({ status: 403, body: JSON.stringify({ error: query, key: DESK_KEY }) })],
    ["oDeskNo", "DESK_REFUSED", (query) => ({ status: 200, body: JSON.stringify({ success: false, msg: `wrong: ${query}` }) })],
    [
      "oDeskOdd",
      "done",
      (query) => ({ status: 200, body: JSON.stringify({ status: query, sign: new URLSearchParams(query).get("sign") }) }),
    ],
    ["oDeskCode", "DESK_NOT_ACCEPTED", (query) => ({ status: 200, body: JSON.stringify({ code: 2059, message: `${query} ${DESK_KEY}` }) })],
    [
      "oDeskHtml",
      "DESK_NOT_ACCEPTED",
      (query) => ({ status: 200, body: `<a href="/spa1/im_callback${query}">the KEY is ${DESK_KEY}</a>` }),
    ],
  ];
  const usual = nosy.answer;
  for (const [openId, code, answer] of answers) {
    nosy.answer = answer;
    await write(shop, openId);
    await until(openId, code);
    await call("POST", "/api/v1/accounts/shop/test");
    nosy.answer = usual;
    await until(openId, "done");
  }
}

async function playPushes(shop: ConnectedAccount): Promise<void> {
  const push = async (body: string, { url = shop.pushUrl, type = "application/json" } = {}) => {
    const response = await fetch(url, { method: "POST", headers: { "content-type": type }, body });
    seen.push({ where: "POST /desk", text: `${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}` });
    return response.status;
  };
  const text = (content: string, openId = "oA") => JSON.stringify({ touser: openId, msgtype: "text", text: { content } });
  expect(await push(text(say("agent")))).toBe(200);
  await gateway.wechat.waitForSeen("oA", 1);
  const sign = secrets.add("a sign that is wrong", hex(16).toUpperCase());
  expect(await push(text(say("forged agent")), { url: `${shop.pushUrl}?number=&email=&timestamp=20260101000000&sign=${sign}` })).toBe(401);
  const wrong = secrets.add("a push token that is wrong", alphanumerics(32));
  expect(await push(text(say("agent elsewhere")), { url: `${gateway.address}/desk/shop/${wrong}` })).toBe(401);
  expect(await push(text(say("agent of nobody")), { url: `${gateway.address}/desk/nobody/${wrong}` })).toBe(404);
  expect(await push(`{"touser":"oA","sign":"${sign}","key":"${DESK_KEY}","msgtype":"hologram"}`)).toBe(400);
  expect(await push(`{"sign":"${sign}", ${say("broken JSON")}`)).toBe(400);
  expect(await push(`<xml><sign>${sign}</sign><MsgType>text</MsgType></xml>`, { type: "text/xml" })).toBe(400);
  expect(await push(`access_token=${WRONG_KEY}&touser=&msgtype=text`, { type: "application/x-www-form-urlencoded" })).toBe(400);
  const media = `http://127.0.0.1:9/a.png?Signature=${words.add("signature of a media address", alphanumerics(24))}`;
  expect(await push(JSON.stringify({ touser: "oMedia", msgtype: "image", image: { url: media } }))).toBe(200);
  await until("oMedia", "MEDIA_ADDRESS_REFUSED");
}

async function playPlatform(shop: ConnectedAccount, company: ConnectedAccount): Promise<void> {
  const { wechat } = gateway;
  const ask = async (path: string, body?: unknown) => {
    const response = await fetch(`${wechat.url}${path}`, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
    return ((await response.json()) as { access_token: string }).access_token;
  };
  const grant = { grant_type: "client_credential", appid: "wx0123456789abcdef", secret: OF_SHOP.appSecret };
  const token = secrets.add("access token", await ask("/cgi-bin/stable_token", grant));
  secrets.add("access token of WeCom", await ask(`/cgi-bin/gettoken?corpid=ww8f3c1d7e2a9b4056&corpsecret=${OF_COMPANY.corpSecret}`));
  const errmsg = `bad request: access_token=${token}, "access_token":"${token}", token ${token}, secret ${OF_SHOP.appSecret}, rid: 6123abcd-0a1b2c3d-4e5f6a7b`;
  const send = /message\/(custom\/)?send/;
  const failures = [
    ["40003", { kind: "errcode", errcode: 40_003, errmsg }],
    ["99999", { kind: "errcode", errcode: 99_999, errmsg }],
    ["45015", { kind: "errcode", errcode: 45_015, errmsg }],
    ["48001", { kind: "errcode", errcode: 48_001, errmsg }],
    ["WECHAT_HTTP_502", { kind: "status", status: 502 }],
    ["WECHAT_ANSWER_LOST", { kind: "drop-after" }],
    // Last, because it is tried again and would meet what is meant for the next.
    ["WECHAT_HTTP_503", { kind: "status", status: 503 }],
  ] as const;
  for (const [code, failure] of failures) {
    const openId = `oPlatform${code}`;
    await write(shop, openId);
    wechat.misbehave({ ...failure, path: send, times: 1 });
    const { json } = await call("GET", `/api/v1/accounts/shop/contacts/${openId}/conversation`, undefined, { showsConversations: true });
    await call("POST", `/api/v1/conversations/${json.id}/messages`, { type: "text", text: say("operator") }, { showsConversations: true });
    await until(openId, code);
  }
  await call("GET", "/api/v1/accounts/shop");
  // Of the token itself: a refusal that quotes the credentials, in either kind.
  for (const [account, path] of [
    [shop, "/cgi-bin/stable_token"],
    [company, "/cgi-bin/gettoken"],
  ] as const) {
    wechat.misbehave({ kind: "errcode", errcode: 40_013, errmsg: `${errmsg} ${OF_COMPANY.corpSecret}`, path, times: 1 });
    await call("POST", `/api/v1/accounts/${account.id}/test`);
  }
}

/** A key of somebody else: made, used, listed, refused, removed. */
async function playPeople(): Promise<void> {
  const { json } = await call("POST", "/api/v1/api-keys", { name: "Lily", role: "operator", accountIds: ["shop"] });
  const key = secrets.add("a key for people", json.key);
  await call("GET", "/api/v1/conversations", undefined, { key, showsConversations: true });
  expect((await call("GET", "/api/v1/accounts", undefined, { key })).status).toBe(403);
  expect((await call("POST", "/api/v1/api-keys", { name: key, role: "boss", expiresAt: key })).status).toBe(400);
  await call("GET", "/api/v1/api-keys");
  await call("DELETE", "/api/v1/api-keys/key_settings");
  await call("DELETE", `/api/v1/api-keys/${json.id}`);
  expect((await call("GET", "/api/v1/conversations", undefined, { key })).status).toBe(401);
}

/** Every secret gets a new value, given or generated; old ones are taken, listed, pushed out and revoked. */
async function playRotation(shop: ConnectedAccount): Promise<void> {
  const rotate = async (name: string, body?: object) => {
    const answer = await call("POST", `/api/v1/accounts/shop/secrets/${name}`, body);
    expect(answer.status).toBe(200);
    return answer.json;
  };
  for (const name of ["token", "encodingAesKey"] as const) {
    const { generated } = await rotate(name);
    shop.wechat.details[name] = secrets.add(`${name}, generated by a rotation`, generated[name]);
    await write(shop, `oRotated${name}`);
    const value = secrets.add(`${name}, given to a rotation`, alphanumerics(name === "token" ? 32 : 43));
    await rotate(name, { value, overlapSeconds: 60 });
    await write(shop, `oOld${name}`);
    shop.wechat.details[name] = value;
    await call("GET", "/api/v1/accounts/shop");
    await call("DELETE", `/api/v1/accounts/shop/secrets/${name}/previous`);
  }
  const { pushUrl } = await rotate("pushToken");
  secrets.add("push token, generated by a rotation", new URL(pushUrl).pathname.split("/").at(-1) ?? "");
  const oldAddress = shop.pushUrl;
  shop.pushUrl = pushUrl;
  await call("DELETE", "/api/v1/accounts/shop/secrets/pushToken/previous");
  const late = await fetch(oldAddress, { method: "POST", body: JSON.stringify({ touser: "oA", text: say("late agent") }) });
  expect(late.status).toBe(401);
  seen.push({ where: "POST /desk", text: await late.text() });
  await rotate("deskKey", { value: secrets.add("new desk key", hex(16)) });
  await rotate("appSecret", { value: OF_SHOP.appSecret });
  // Values where they do not fit, and for a secret that the account does not have.
  for (const [name, value] of [
    ["token", `${secrets.add("a token of another form", alphanumerics(20))} !`],
    ["encodingAesKey", secrets.add("a key that is too short", alphanumerics(42))],
    ["corpSecret", OF_COMPANY.corpSecret],
  ] as const) {
    expect((await call("POST", `/api/v1/accounts/shop/secrets/${name}`, { value })).status).toBe(400);
  }
  await call("POST", "/api/v1/accounts/shop/test");
  await call("GET", "/api/v1/audit?limit=200");
}

/** The command line at this gateway. What it prints to be pasted, once, is marked before and then left out. */
async function playCommands(): Promise<void> {
  const run = async (args: string[], { input = "", key = ADMIN_KEY, shown }: { input?: string; key?: string; shown?: RegExp } = {}) => {
    const ended = await wxdeskHere([...args, "--url", gateway.address], { environment: { WXDESK_API_KEY: key }, input });
    let stdout = ended.stdout;
    for (const [, value] of shown === undefined ? [] : ended.stdout.matchAll(shown)) {
      if (value === undefined) continue;
      secrets.add(`shown once by ${args[0]} ${args[1]}`, value.split("/").at(-1) ?? "");
      stdout = stdout.replace(value, "…");
    }
    const showsConversations = args[0] === "conversation" || args[0] === "message";
    (showsConversations ? conversations : seen).push({ where: `wxdesk ${args.slice(0, 2).join(" ")}`, text: stdout + ended.stderr });
    return ended.code;
  };
  const document = {
    id: "byhand",
    name: "By hand",
    kind: "official_account",
    wechat: { appId: "wx00000000000000aa", appSecret: secrets.add("app secret in a file", hex(16)), apiBaseUrl: gateway.wechat.url },
    desk: { protocol: "udesk-message-interface", url: nosy.url, key: secrets.add("desk key in a file", hex(16)) },
  };
  const once = /(?:\* +(?:Token|EncodingAESKey|message push server address)|^token|^message push server address) +(\S+)$/gm;
  expect(await run(["account", "add", "--file", "-"], { input: JSON.stringify(document), shown: once })).toBe(0);
  expect(await run(["account", "add", "--file", "-"], { input: JSON.stringify(document) })).toBe(1);
  expect(await run(["account", "add", "--file", "-", "--verbose"], { input: `${JSON.stringify(document)}, oops` })).toBe(2);
  expect(await run(["account", "add", "--file", "-"], { input: JSON.stringify({ ...document, desk: document.desk.key }) })).toBe(2);
  for (const args of [
    ["account", "list"],
    ["account", "show", "byhand"],
    ["account", "show", "byhand", "--json"],
    ["account", "test", "byhand", "--verbose"],
  ]) {
    await run(args);
  }
  const newKey = secrets.add("desk key from standard input", hex(16));
  expect(await run(["secret", "rotate", "byhand", "deskKey", "--value-file", "-", "--json"], { input: newKey })).toBe(0);
  expect(await run(["secret", "rotate", "byhand", "encodingAesKey", "--value-file", "-"], { input: `${newKey}?` })).toBe(1);
  expect(await run(["secret", "rotate", "byhand", "token"], { shown: once })).toBe(0);
  expect(await run(["secret", "rotate", "byhand", "pushToken"], { shown: once })).toBe(0);
  expect(await run(["secret", "rotate", "byhand", "token", "--revoke-previous", "--verbose"])).toBe(0);
  expect(await run(["key", "create", "--name", "bot", "--role", "viewer"], { shown: /^(wxk_\S+)$/gm })).toBe(0);
  expect(await run(["key", "list"])).toBe(0);
  expect(await run(["account", "list", "--verbose"], { key: WRONG_KEY })).toBe(1);
  expect(await run(["account", "list"], { key: `${WRONG_KEY} with a blank` })).toBe(2);
  expect(await run(["doctor"])).toBe(1);
  expect(await run(["doctor"], { key: WRONG_KEY })).toBe(1);
  await run(["conversation", "list"]);
  await run(["conversation", "show", "--account", "shop", "--contact", "oA"]);
  expect(await run(["account", "rm", "byhand", "--confirm", "byhand"])).toBe(0);

  const signKey = secrets.add("a KEY to sign with", hex(16));
  const sign = async (...args: string[]) => {
    const { stdout, stderr } = await wxdeskHere(["sign", ...args, "--key-file", "-"], { input: signKey });
    seen.push({ where: "wxdesk sign", text: stdout + stderr });
  };
  await sign("--number", "13574221234");
  await sign("--check", `${nosy.url}?number=&email=&timestamp=20260101000000&sign=${"0".repeat(32)}`);
  await sign("--timestamp", "now");
}

async function playFaults(shop: ConnectedAccount): Promise<void> {
  const [message] = await runSql(gateway, "SELECT id FROM messages LIMIT 1");
  await runSql(gateway, "ALTER TABLE attempts RENAME TO attempts_gone");
  expect((await call("GET", `/api/v1/messages/${message?.id}`)).status).toBe(503);
  await runSql(gateway, "ALTER TABLE attempts_gone RENAME TO attempts");
  await runSql(gateway, "ALTER TABLE messages RENAME TO messages_gone");
  await write(shop, "oFault");
  await call("POST", "/api/v1/messages/retry", { state: "dead" });
  const push = JSON.stringify({ touser: "oFault", msgtype: "text", text: { content: say("agent, not stored") } });
  const response = await fetch(shop.pushUrl, { method: "POST", headers: { "content-type": "application/json" }, body: push });
  expect(response.status).toBe(503);
  seen.push({ where: "POST /desk", text: await response.text() });
  await runSql(gateway, "ALTER TABLE messages_gone RENAME TO messages");
  // Before any route knows of it.
  const { port, hostname } = new URL(gateway.address);
  for (const head of [
    `GET ${new URL(shop.pushUrl).pathname} HTTP/1.1\r\nHost x`,
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${ADMIN_KEY.repeat(500)}\r\n`,
  ]) {
    const socket = connectSocket(Number(port), hostname);
    await once(socket, "connect");
    socket.write(`${head}\r\nAuthorization: Bearer ${ADMIN_KEY}\r\n\r\n`);
    seen.push({ where: "socket", text: await textOf(socket) });
  }
}

function leaks(places: readonly Seen[], marks: typeof secrets): string[] {
  return places.flatMap(({ where, text }) => marks.findIn(text).map((name) => `${name} in ${where}: ${text.slice(0, 400)}`));
}

test("no secret and no signature stands in a log, an answer or a column, whatever happened", () => {
  expect(leaks([...seen, ...conversations], secrets)).toEqual([]);
});

test("what people say stands in no log, no refusal and no column but their own", () => {
  expect(leaks(seen, words)).toEqual([]);
});

test("the collectors saw all of it happen", () => {
  expect([...events]).toEqual(
    expect.arrayContaining([
      "gateway.starting",
      "gateway.started",
      "callback.received",
      "callback.refused",
      "callback.failed",
      "message.forwarded",
      "push.accepted",
      "push.refused",
      "push.failed",
      "reply.relayed",
      "request.failed",
    ]),
  );
  expect([...codes]).toEqual(
    expect.arrayContaining([
      "VALIDATION_FAILED",
      "JSON_INVALID",
      "MEDIA_TYPE_UNSUPPORTED",
      "ACCOUNT_EXISTS",
      "ACCOUNT_DISABLED",
      "CONFIRMATION_MISSING",
      "UNAUTHORIZED",
      "FORBIDDEN",
      "NOT_FOUND",
      "DATABASE_MISMATCHED",
      "DESK_HTTP_500",
      "DESK_REFUSED",
      "DESK_NOT_ACCEPTED",
      "MEDIA_ADDRESS_REFUSED",
      "48001",
      "WECHAT_ANSWER_LOST",
    ]),
  );
  const places = new Set([...seen, ...conversations].map(({ where }) => where));
  expect([...places]).toEqual(
    expect.arrayContaining([
      "log",
      "socket",
      "GET /openapi.json",
      "GET /docs/",
      "POST /api/v1/api-keys",
      "POST /api/v1/accounts/shop/secrets/token",
      "DELETE /api/v1/accounts/shop/secrets/token/previous",
      "GET /api/v1/audit",
      "wxdesk account add",
      "wxdesk account show",
      "wxdesk secret rotate",
      "wxdesk key create",
      "wxdesk doctor",
      "wxdesk sign",
      "api_keys.name",
      "attempts.detail",
      "push_rejects.body",
      "audit_entries.detail",
      "accounts.settings",
    ]),
  );
  // What may be seen is seen: the collectors do read what they are given.
  expect(leaks(conversations, words)).not.toEqual([]);
  expect(seen.some(({ where, text }) => where === "log" && text.includes("oPlatform") === false && text.includes("shop"))).toBe(true);
  expect(seen.filter(({ text }) => text.includes("rid: 6123abcd-0a1b2c3d-4e5f6a7b")).length).toBeGreaterThan(0);
});

describe("a leak would be found", () => {
  const token = OF_SHOP.token;
  test.each([
    ["as it is", token],
    ["cut", token.slice(0, 14)],
    ["in an address", `https://x/?token=${encodeURIComponent(token)}`],
    ["in hexadecimal", Buffer.from(`key ${token}`).toString("hex")],
    ["in base64", Buffer.from(`a${token}`).toString("base64")],
    ["in base64, elsewhere", Buffer.from(`ab:${token} and more`).toString("base64url")],
    ["in upper case", token.toUpperCase()],
  ])("%s", (_form, text) => {
    expect(secrets.findIn(text)).toContain("token");
  });

  test("in what a command prints, when it is not left out for being shown once", async () => {
    const { stdout } = await wxdeskHere(["sign", "--timestamp", "20260101000000", "--key-file", "-"], { input: token });
    secrets.add("a sign that was printed", /sign=(\S+)/.exec(stdout)?.[1] ?? "");
    expect(leaks([{ where: "wxdesk sign", text: stdout }], secrets)).toHaveLength(1);
  });

  test("in a line of the log that somebody wrote without thinking", () => {
    const lines: Seen[] = [];
    const log = createLogger({ level: "info", destination: { write: (text) => lines.push({ where: "log", text }) } });
    log.info({ detail: `the token is ${token}` }, "something.careless");
    log.info({ said: [...Object.values({ first: say("somebody") })] }, "something.careless");
    expect(leaks(lines, secrets)).toHaveLength(1);
    expect(leaks(lines, words)).toHaveLength(1);
  });
});
