import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { decodeAesKey, encrypt as encryptText } from "../../src/wechat/cipher.ts";
import { sign } from "../../src/wechat/signature.ts";
import { type ConnectedAccount, eventually, look, type OpenGateway, openGateway, startGateway } from "../support/gateway.ts";
import { hostileSamples, readHostile, readSample, type Sample, type Vector, vectors, xmlSamples } from "../wechat/fixtures.ts";
import { type Answer, get, nowSeconds, post, type SignedCallback, seal, signCallback, textXml } from "./signed-callback.ts";

const NAMES = ["plain", "compatible", "safe", "company"] as const;
type Name = (typeof NAMES)[number];
const ENCRYPTED = ["compatible", "safe", "company"] as const;

let gateway: OpenGateway;
let accounts: Record<Name, ConnectedAccount>;

beforeAll(async () => {
  gateway = await openGateway();
  gateway.desk.setAnswer("*", { status: "queueing", turn: 1, agent_name: "", msg: "" });
  const official = (encryption: string, appId: string) =>
    gateway.connect("official_account", { id: encryption, wechat: { encryption, appId } });
  accounts = {
    plain: await official("plain", "wx0000000000000001"),
    compatible: await official("compatible", "wx0000000000000002"),
    safe: await official("safe", "wx0000000000000003"),
    company: await gateway.connect("wecom"),
  };
});

afterAll(() => gateway.close());

const acknowledgement = (name: Name) => (name === "company" ? "" : "success");

let contacts = 0;
const newContact = () => `oContact${++contacts}`;

/** What was refused has left no trace, and the same entrance still works: the next message is the first one stored. */
async function expectNothingStored(name: Name, openId: string): Promise<void> {
  const account = accounts[name];
  const answer = await post(account.callbackUrl, signCallback(account.wechat, textXml(openId, "good")));
  expect(answer).toMatchObject({ status: 200, text: acknowledgement(name) });
  const { messages } = await look(gateway, account, openId);
  expect(messages.map(({ text }) => text)).toEqual(["good"]);
  expect(gateway.desk.received(openId).map(({ text }) => text)).toEqual(["good"]);
}

/** Short, plain, and free of anything that says how the gateway is made. */
function expectRefusal(answer: Answer, status: number): void {
  expect(answer).toMatchObject({ status, contentType: "text/plain; charset=utf-8" });
  expect(answer.text).toMatch(/^[a-z ,]{3,40}$/);
}

type Spoil = (callback: SignedCallback) => SignedCallback;
const withQuery =
  (change: (query: SignedCallback["query"]) => SignedCallback["query"]): Spoil =>
  ({ query, body }) => ({ query: { ...query, ...change(query) }, body });

/** Only a message's signature covers the body; the plain one does not. */
const OTHER_BODY: [string, Spoil] = [
  "a body that was not signed for",
  ({ query }) => ({ query, body: Buffer.from("<xml><Encrypt>AAAA</Encrypt></xml>") }),
];

describe.each(NAMES)("%s account", (name) => {
  const isEncrypted = name !== "plain";
  const signature = isEncrypted ? "msg_signature" : "signature";

  const spoilt: [string, Spoil][] = [
    [
      "a wrong signature",
      withQuery((query) => ({ [signature]: String(query[signature]).replace(/.$/, (last) => (last === "0" ? "1" : "0")) })),
    ],
    ["a signature in upper case", withQuery((query) => ({ [signature]: `A${String(query[signature]).toUpperCase().slice(1)}` }))],
    ["another thing's signature", withQuery(() => ({ [signature]: sign(["tok3n", "1", "2"]) }))],
    ["a signature twice", withQuery((query) => ({ [signature]: [String(query[signature]), String(query[signature])] }))],
    ["a short signature", withQuery(() => ({ [signature]: "0" }))],
    ...[signature, "timestamp", "nonce"].flatMap((parameter): [string, Spoil][] => [
      [`no ${parameter}`, withQuery(() => ({ [parameter]: undefined }))],
      [`an empty ${parameter}`, withQuery(() => ({ [parameter]: "" }))],
    ]),
    ["a repeated timestamp", withQuery(({ timestamp }) => ({ timestamp: [String(timestamp), String(timestamp)] }))],
    ["another nonce", withQuery(() => ({ nonce: "1" }))],
    ...(isEncrypted ? [OTHER_BODY] : []),
    ["no query", ({ body }) => ({ query: {}, body })],
  ];

  test.each(spoilt)("refuses %s with 401, and stores nothing", async (_what, spoil) => {
    const openId = newContact();
    const { callbackUrl, wechat } = accounts[name];
    expectRefusal(await post(callbackUrl, spoil(signCallback(wechat, textXml(openId, "bad")))), 401);
    await expectNothingStored(name, openId);
  });

  test.each([
    ["in the past", () => nowSeconds(-700)],
    ["in the future", () => nowSeconds(700)],
    ["in milliseconds", () => `${nowSeconds()}000`],
    ["in words", () => "today"],
    ["without end", () => "Infinity"],
  ])("refuses a timestamp %s with 401, and stores nothing", async (_what, timestamp) => {
    const openId = newContact();
    const { callbackUrl, wechat } = accounts[name];
    expectRefusal(await post(callbackUrl, signCallback(wechat, textXml(openId, "bad"), { timestamp: timestamp() })), 401);
    await expectNothingStored(name, openId);
  });

  test("takes a callback to its address with a slash behind it", async () => {
    const { callbackUrl, wechat } = accounts[name];
    const callback = signCallback(wechat, textXml(newContact(), "good"));
    expect(await post(`${callbackUrl}/`, callback)).toMatchObject({ status: 200, text: acknowledgement(name) });
  });

  test.each([-500, 500])("takes a timestamp that is %i s off", async (offset) => {
    const openId = newContact();
    const { callbackUrl, wechat } = accounts[name];
    const callback = signCallback(wechat, textXml(openId, "good"), { timestamp: nowSeconds(offset) });
    expect(await post(callbackUrl, callback)).toMatchObject({ status: 200, text: acknowledgement(name) });
  });

  test.each([
    ["nothing", ""],
    ["no XML", "hello"],
    ["JSON", '{"ToUserName":"us"}'],
    ["a DOCTYPE", `<!DOCTYPE xml [<!ENTITY e "x">]>${textXml("oHostile", "&e;")}`],
    ["an undeclared entity", "<xml><MsgType>text</MsgType><FromUserName>oHostile</FromUserName><Content>&e;</Content></xml>"],
    ["no MsgType", "<xml><FromUserName>oHostile</FromUserName></xml>"],
    ["no CreateTime", "<xml><FromUserName>oHostile</FromUserName><MsgType>text</MsgType><Content>x</Content></xml>"],
    ["a CreateTime beyond all calendars", textXml("oHostile", "x").replace(/\d{10}(?=<\/CreateTime>)/, "8640000000000000")],
    ["a sender's name that is no name", textXml(randomBytes(4_000).toString("hex"), "x")],
  ])("answers 400 to signed content that is %s", async (_what, content) => {
    const { callbackUrl, wechat } = accounts[name];
    expectRefusal(await post(callbackUrl, signCallback(wechat, content)), 400);
    await expectNothingStored(name, newContact());
  });

  test.each(hostileSamples)("survives $file", async (sample) => {
    const { callbackUrl, wechat } = accounts[name];
    const answers = [await post(callbackUrl, signCallback(wechat, readHostile(sample)))];
    // The same bytes in place of the whole envelope.
    if (isEncrypted) answers.push(await post(callbackUrl, { ...signCallback(wechat, ""), body: readHostile(sample) }));
    for (const { status } of answers) expect([200, 400, 413]).toContain(status);
    if (/^reject( without.*)?$/.test(sample.expect)) expect(answers[0]?.status).toBe(400);
    await expectNothingStored(name, newContact());
  });

  test.each([
    ["a NUL", "x\0y", "xy"],
    ["a cut UTF-8 sequence", Buffer.from([0x78, 0xe4, 0xbd, 0x79]), "x\uFFFDy"],
    ["half of an emoji", Buffer.from([0x78, 0xed, 0xa0, 0xbd, 0x79]), "x\uFFFD\uFFFD\uFFFDy"],
    ["control characters", "x\u0001\u001F\u0085y", "x\u0085y"],
    ["what is no character", "x\uFFFE\uFFFFy", "xy"],
  ])("takes a genuine message with %s, which reaches the desk", async (_what, said, text) => {
    const openId = newContact();
    const { callbackUrl, wechat } = accounts[name];
    // In names and ids too: as a key of the database a NUL would refuse the message for ever.
    const [before = "", after = ""] = textXml(`\0${openId}`, "|", `<a\0b>\0</a\0b>`).replace("<MsgId>", "<MsgId>\0").split("|");
    const content = Buffer.concat([Buffer.from(before), Buffer.from(said), Buffer.from(after)]);
    expect(await post(callbackUrl, signCallback(wechat, content))).toMatchObject({ status: 200 });
    const { messages } = await eventually(
      "the message at the desk",
      () => look(gateway, accounts[name], openId),
      (seen) => seen.messages.some(({ state }) => state === "forwarded"),
    );
    expect(messages.map((message) => message.text)).toEqual([text]);
  });

  test("takes an event with a NUL or half a character in its key and fields", async () => {
    const openId = newContact();
    const { callbackUrl, wechat } = accounts[name];
    const head = textXml(openId, "")
      .replace("[text]", "[event]")
      .replace(/<Content>.*<\/MsgId><\/xml>$/, "");
    const fields = "<Event>CLICK\0</Event><EventKey>a&#0;&#xD83D;b\0</EventKey><Extra>c\0d&#xFFFF;</Extra></xml>";
    expect(await post(callbackUrl, signCallback(wechat, head + fields))).toMatchObject({ status: 200 });
    const { messages } = await look(gateway, accounts[name], openId);
    expect(messages).toMatchObject([{ content: { event: "click", key: "ab", fields: { Extra: "cd" } } }]);
  });

  test("refuses a body over 256 KiB with 413, whether its length is announced or not", async () => {
    const openId = newContact();
    const { callbackUrl, wechat } = accounts[name];
    const tooLong = { ...signCallback(wechat, ""), body: Buffer.alloc(256 * 1024 + 1, 0x61) };
    expectRefusal(await post(callbackUrl, tooLong), 413);
    expectRefusal(await postInPieces(callbackUrl, tooLong), 413);
    await expectNothingStored(name, openId);
  });

  test("takes a body without a length, and a long one within the limit", async () => {
    const openId = newContact();
    const { callbackUrl, wechat } = accounts[name];
    expect(await postInPieces(callbackUrl, signCallback(wechat, textXml(openId, "in pieces")))).toMatchObject({ status: 200 });
    const comment = `<!--${"x".repeat(150 * 1024)}-->`;
    expect(await post(callbackUrl, signCallback(wechat, textXml(openId, "long", comment)))).toMatchObject({ status: 200 });
    const { messages } = await look(gateway, accounts[name], openId);
    expect(messages.map(({ text }) => text)).toEqual(["in pieces", "long"]);
  });

  test.each([
    undefined,
    "",
    "text/xml",
    "application/xml; charset=utf-8",
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "rubbish",
    "a/b/c;;=",
    ";",
  ])("reads XML under the content type %j", async (contentType) => {
    const openId = newContact();
    const { callbackUrl, wechat } = accounts[name];
    const answer = await post(callbackUrl, signCallback(wechat, textXml(openId, "hello")), contentType);
    expect(answer).toMatchObject({ status: 200, text: acknowledgement(name) });
    expect((await look(gateway, accounts[name], openId)).messages).toHaveLength(1);
  });

  test("stores one message when the same callback comes twenty times at once", async () => {
    const openId = newContact();
    const { callbackUrl, wechat } = accounts[name];
    const xml = textXml(openId, "once");
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(callbackUrl, signCallback(wechat, xml))));
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, text: acknowledgement(name) });
    expect((await look(gateway, accounts[name], openId)).messages).toHaveLength(1);
    expect(gateway.desk.received(openId)).toHaveLength(1);
  });

  test("answers the URL check exactly, and only when it is signed", async () => {
    const { callbackUrl, wechat } = accounts[name];
    expect(await wechat.verifyUrl()).toMatchObject({ ok: true, status: 200 });
    const echo = "12345678901234567890123";
    const query = toUrlCheck(accounts[name], echo);
    for (const url of [callbackUrl, `${callbackUrl}/`]) {
      expect(await get(url, query)).toEqual({ status: 200, contentType: "text/plain; charset=utf-8", text: echo });
    }
    const own = name === "company" ? "msg_signature" : "signature";
    for (const bad of [undefined, "", "0".repeat(40), [String(query[own]), String(query[own])]]) {
      expectRefusal(await get(callbackUrl, { ...query, [own]: bad }), 401);
    }
    for (const gone of ["timestamp", "nonce", "echostr"]) expectRefusal(await get(callbackUrl, { ...query, [gone]: undefined }), 401);
    expectRefusal(await get(callbackUrl, toUrlCheck(accounts[name], echo, nowSeconds(-700))), 401);
    expectRefusal(await get(callbackUrl, {}), 401);
    expect(await get(callbackUrl, query)).toMatchObject({ status: 200, text: echo });
  });

  test("answers 404 while it is disabled, to callbacks and URL checks", async () => {
    const openId = newContact();
    const { callbackUrl, wechat } = accounts[name];
    await gateway.api("POST", `/accounts/${accounts[name].id}/disable`);
    expectRefusal(await post(callbackUrl, signCallback(wechat, textXml(openId, "bad"))), 404);
    expectRefusal(await get(callbackUrl, toUrlCheck(accounts[name], "1")), 404);
    await gateway.api("POST", `/accounts/${accounts[name].id}/enable`);
    await expectNothingStored(name, openId);
  });

  test("keeps every character of a message", async () => {
    const openId = newContact();
    const texts = [
      "007",
      "+100",
      "1e5",
      "  blanks  ",
      "\n",
      "😀👩‍👩‍👧",
      "&amp; &lt;",
      "true",
      "a ]]]]><![CDATA[> b",
      "<b>",
      "𠮷\u00a0\u3000",
    ];
    for (const text of texts) {
      const { callbackUrl, wechat } = accounts[name];
      expect(await post(callbackUrl, signCallback(wechat, textXml(openId, text)))).toMatchObject({ status: 200 });
    }
    const { messages } = await look(gateway, accounts[name], openId);
    const meant = texts.map((text) => text.replace("]]]]><![CDATA[>", "]]>"));
    expect(messages.map(({ text }) => text)).toEqual(meant);
    await gateway.desk.waitForReceived(openId, texts.length);
    expect(gateway.desk.received(openId).map(({ text }) => text)).toEqual(meant);
  });
});

describe.each(ENCRYPTED)("%s account", (name) => {
  test.each<[string, number, (account: ConnectedAccount, xml: string) => SignedCallback]>([
    ["for another receiver", 401, ({ wechat }, xml) => signCallback(wechat, xml, { receiverId: "wx9999999999999999" })],
    ["for no receiver", 401, ({ wechat }, xml) => signCallback(wechat, xml, { receiverId: "" })],
    ["for a receiver whose name begins with ours", 401, ({ wechat }, xml) => signCallback(wechat, xml, { receiverId: `${wechat.id}x` })],
    ["not base64", 400, ({ wechat }, xml) => signCallback(wechat, xml, { ciphertext: "not base64!" })],
    ["not whole blocks", 400, ({ wechat }, xml) => signCallback(wechat, xml, { ciphertext: "AAAA" })],
    [
      "cut off",
      400,
      ({ wechat }, xml) => signCallback(wechat, xml, { ciphertext: `${seal(wechat.details, Buffer.from(xml)).slice(0, 64)}` }),
    ],
    ["encrypted with another key", 400, ({ wechat }, xml) => signCallback(wechat, xml, { ciphertext: "QUFB".repeat(16) })],
    ["not there", 400, ({ wechat }, xml) => ({ ...signCallback(wechat, xml), body: Buffer.from(xml) })],
    ["empty", 400, ({ wechat }, xml) => ({ ...signCallback(wechat, xml), body: Buffer.from("<xml><Encrypt></Encrypt></xml>") })],
  ])("refuses an Encrypt that is %s with %i, and stores nothing", async (_what, status, make) => {
    const openId = newContact();
    expectRefusal(await post(accounts[name].callbackUrl, make(accounts[name], textXml(openId, "bad"))), status);
    await expectNothingStored(name, openId);
  });

  test("does not take the plain signature for the message's", async () => {
    const openId = newContact();
    const { callbackUrl, wechat } = accounts[name];
    const { query, body } = signCallback(wechat, textXml(openId, "bad"));
    const plain = sign([wechat.details.token, String(query.timestamp), String(query.nonce)]);
    expectRefusal(await post(callbackUrl, { query: { ...query, signature: plain, msg_signature: plain }, body }), 401);
    expectRefusal(await post(callbackUrl, { query: { ...query, signature: plain, msg_signature: undefined }, body }), 401);
    await expectNothingStored(name, openId);
  });
});

test.each(["safe", "company"] as const)("a plain body is refused on a %s account, however well it is signed", async (name) => {
  const openId = newContact();
  const { callbackUrl, wechat } = accounts[name];
  const plain = signCallback(wechat, textXml(openId, "bad"), { encrypted: false });
  expectRefusal(await post(callbackUrl, plain), 401);
  expectRefusal(await post(callbackUrl, { ...plain, query: { ...plain.query, encrypt_type: "raw" } }), 401);
  await expectNothingStored(name, openId);
});

test("a compatible account takes plain callbacks too, but never the unsigned fields beside Encrypt", async () => {
  const openId = newContact();
  const { callbackUrl, wechat } = accounts.compatible;
  const forged = textXml(openId, "forged");
  const { query, body } = signCallback(wechat, textXml(openId, "genuine"));
  const both = Buffer.from(forged.replace("</xml>", body.toString().replace(/^<xml>/, "")));
  expectRefusal(await post(callbackUrl, { query: { ...query, encrypt_type: undefined }, body: both }), 401);
  expect(await post(callbackUrl, { query, body: both })).toMatchObject({ status: 200 });
  expect(await post(callbackUrl, signCallback(wechat, textXml(openId, "plain"), { encrypted: false }))).toMatchObject({ status: 200 });
  const { messages } = await look(gateway, accounts.compatible, openId);
  expect(messages.map(({ text }) => text)).toEqual(["genuine", "plain"]);
});

describe("an address that is not an account's", () => {
  test.each([
    "nobody",
    "SAFE",
    "safe%20",
    "%00",
    "safe%00",
    "%F0%9F%98%80",
    "constructor",
    "x".repeat(250),
    "..%2fsafe",
    "safe%2F..",
    "'--",
  ])("gets 404: %s", async (id) => {
    const callback = signCallback(accounts.safe.wechat, textXml("oLost", "bad"));
    const url = `${gateway.address}/wechat/${id}`;
    expect((await post(url, callback)).status).toBe(404);
    expect((await get(url, toUrlCheck(accounts.safe, "1"))).status).toBe(404);
  });

  test.each(["%", "%zz", "%c3%28", "%ff", "safe%"])("is refused without a word about our insides when it is no address: %s", async (id) => {
    const { status, text } = await post(`${gateway.address}/wechat/${id}`, signCallback(accounts.safe.wechat, textXml("oLost", "bad")));
    expect([400, 404]).toContain(status);
    expect(text).not.toMatch(/node_modules|\bat |FST_/);
  });

  test.each(["%", "msg_signature=%zz&timestamp=%", "%00=%00&__proto__=1&constructor=2", "&&&===", "a".repeat(8_000)])(
    "is not verified by the query %s",
    async (query) => {
      for (const name of NAMES) {
        for (const method of ["GET", "POST"]) {
          const { status } = await fetch(`${accounts[name].callbackUrl}?${query}`, { method });
          // An encrypted body is looked at first: the signature is over what it holds.
          expect(method === "POST" && query.includes("msg_signature") ? [400, 401] : [401]).toContain(status);
        }
      }
    },
  );

  test.each(["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])("%s does nothing", async (method) => {
    const openId = newContact();
    const { query, body } = signCallback(accounts.plain.wechat, textXml(openId, "bad"));
    const url = new URL(accounts.plain.callbackUrl);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
    const answer = await fetch(url, { method, ...(method === "HEAD" ? {} : { body: new Uint8Array(body) }) });
    expect([401, 404, 405]).toContain(answer.status);
    await expectNothingStored("plain", openId);
  });
});

describe("what others published", () => {
  test.each(vectors.filter(({ op, expect: { ok }, encrypt }) => op === "decrypt" && ok && encrypt))("is received: $id", async (vector) => {
    const account = await connectVector(vector);
    const { msgSignature, token = account.wechat.details.token, timestamp = nowSeconds(), nonce = "1", encrypt } = vector;
    const query = { timestamp, nonce, msg_signature: msgSignature ?? sign([token, timestamp, nonce, encrypt]), encrypt_type: "aes" };
    const body = Buffer.from(vector.body ?? `<xml><Encrypt><![CDATA[${encrypt}]]></Encrypt></xml>`);
    const answer = await post(account.callbackUrl, { query: { ...query, ...Object.fromEntries(new URLSearchParams(vector.query)) }, body });
    const openId = /<FromUserName><!\[CDATA\[(.*?)]]>/.exec(vector.plaintext)?.[1];
    if (openId === undefined) return expect([200, 400]).toContain(answer.status);
    expect(answer).toMatchObject({ status: 200, text: account.wechat.details.kind === "wecom" ? "" : "success" });
    const { messages } = await look(gateway, account, openId);
    expect(messages).toHaveLength(1);
    const content = /<Content><!\[CDATA\[(.*?)]]>/.exec(vector.plaintext)?.[1];
    if (content !== undefined) expect(messages[0]).toMatchObject({ type: "text", text: content, state: "forwarded" });
    expect(gateway.desk.received(openId).length).toBeGreaterThan(0);
  });

  test.each(vectors.filter(({ op, expect: { ok } }) => op === "decrypt" && !ok))("is refused: $id", async (vector) => {
    const account = await connectVector(vector);
    const { timestamp, nonce, msgSignature, token, encrypt } = vector;
    const query = { timestamp, nonce, msg_signature: msgSignature ?? sign([token, timestamp, nonce, encrypt]), encrypt_type: "aes" };
    const answer = await post(account.callbackUrl, { query, body: Buffer.from(`<xml><Encrypt>${encrypt}</Encrypt></xml>`) });
    expectRefusal(answer, ["signature", "receiveid"].includes(vector.expect.error ?? "") ? 401 : 400);
  });

  test.each(vectors.filter(({ op }) => op === "verify_url"))("URL check is answered: $id", async (vector) => {
    const account = await connectVector(vector);
    const { timestamp, nonce, msgSignature, encrypt, plaintext } = vector;
    const query = { timestamp, nonce, msg_signature: msgSignature, echostr: encrypt };
    expect(await get(account.callbackUrl, query)).toMatchObject({ status: 200, text: plaintext });
    // A proxy that decodes once too often.
    const blanks = { ...query, echostr: encrypt.replaceAll("+", " ") };
    expect(await get(account.callbackUrl, blanks)).toMatchObject({ status: 200, text: plaintext });
    if (vector.query) expect(await (await fetch(`${account.callbackUrl}?${vector.query}`)).text()).toBe(plaintext);
  });
});

describe("each sample of what the platforms send", () => {
  const samples = xmlSamples.filter(({ file }) => !file.startsWith("envelope-"));
  const isWecom = ({ account }: Sample) => account.startsWith("wecom");

  test.each(samples)("is acknowledged and stored once: $file", async (sample) => {
    const name = isWecom(sample) ? "company" : "plain";
    const { callbackUrl, wechat } = accounts[name];
    const openId = sample.leafText?.FromUserName?.trim() ?? "nobody";
    const before = await count(name, openId);
    for (const _again of [1, 2, 3]) {
      const answer = await post(callbackUrl, signCallback(wechat, readSample(sample.file)));
      expect(answer).toMatchObject({ status: 200, text: acknowledgement(name) });
    }
    if (isBookkeeping(sample)) return expect(await count(name, openId)).toBe(before);
    expect(await count(name, openId)).toBe(before + 1);
    const message = (await look(gateway, accounts[name], openId)).messages.at(-1);
    expect(message).toMatchObject({ direction: "inbound", type: toType(sample) });
    if (toType(sample) === "text")
      expect(message).toMatchObject({ text: sample.leafText?.Content, content: { text: sample.leafText?.Content } });
  });

  const isBookkeeping = ({ msgType, leafText }: Sample) =>
    msgType === undefined || !leafText?.FromUserName || leafText.FromUserName === "sys";
  const KNOWN = ["text", "image", "voice", "video", "shortvideo", "location", "link", "file", "event", "miniprogrampage"];
  const toType = ({ msgType = "" }: Sample) => (KNOWN.includes(msgType.toLowerCase()) ? msgType.toLowerCase() : "unsupported");

  async function count(name: Name, openId: string): Promise<number> {
    const { status } = await gateway.api("GET", `/accounts/${accounts[name].id}/contacts/${encodeURIComponent(openId)}/conversation`);
    return status === 404 ? 0 : (await look(gateway, accounts[name], openId)).messages.length;
  }
});

describe("the answer leaves in time", () => {
  test("while the desk does not answer", async () => {
    const slow = await startGateway();
    const account = await slow.connect("official_account");
    const company = await slow.connect("wecom");
    slow.desk.misbehave({ kind: "held", until: new Promise(() => {}) });
    const deliveries = await Promise.all([account.wechat.sendText("oA", "hello"), company.wechat.sendText("oB", "hello")]);
    for (const { tries, acknowledged, failed } of deliveries) {
      expect({ acknowledged, failed, tries: tries.length }).toEqual({ acknowledged: true, failed: false, tries: 1 });
    }
  });

  test("while an agent is there and says nothing", async () => {
    const quiet = await startGateway();
    const account = await quiet.connect("official_account", { replies: { passiveWaitMs: 4_500 } });
    const company = await quiet.connect("wecom", { replies: { passiveWaitMs: 4_500 } });
    quiet.desk.setAnswer("*", { status: "chatting", turn: 0, agent_name: "Lily", msg: "" });
    const deliveries = await Promise.all([account.wechat.sendText("oA", "hello"), company.wechat.sendText("oB", "hello")]);
    for (const { tries, acknowledged, failed } of deliveries) {
      expect({ acknowledged, failed, tries: tries.length }).toEqual({ acknowledged: true, failed: false, tries: 1 });
    }
  });
});

function toUrlCheck({ wechat: { details } }: ConnectedAccount, echo: string, timestamp = nowSeconds()): SignedCallback["query"] {
  const parts = [details.token, timestamp, "77"];
  if (details.kind !== "wecom") return { signature: sign(parts), timestamp, nonce: "77", echostr: echo };
  const echostr = encryptText(echo, decodeAesKey(details.encodingAesKey), details.corpId);
  return { msg_signature: sign([...parts, echostr]), timestamp, nonce: "77", echostr };
}

let vectorAccounts = 0;

/** An account that a vector was made for. Its clock is years off, hence no tolerance. */
async function connectVector({ id, token = "tok3nOfOurs", encodingAESKey, receiveId }: Vector): Promise<ConnectedAccount> {
  const isWecom = id.startsWith("wecom") || id.startsWith("neg-sig") || id.startsWith("neg-rec") || id.startsWith("derived-echo");
  const secrets = { token, encodingAesKey: encodingAESKey, timestampToleranceSeconds: 0 };
  const account = {
    id: `vector-${++vectorAccounts}`,
    wechat: isWecom ? { ...secrets, corpId: receiveId } : { ...secrets, appId: receiveId },
  };
  const connected = await gateway.connect(isWecom ? "wecom" : "official_account", account);
  // The next vector may be of the same app, and an app has one account.
  onTestFinished(async () => {
    await gateway.api("DELETE", `/accounts/${connected.id}?confirm=${connected.id}`);
  });
  return connected;
}

/** Chunked: the length is known only at the end. */
function postInPieces(address: string, { query, body }: SignedCallback): Promise<Answer> {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return new Promise((resolve, reject) => {
    const call = request(url, { method: "POST" }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece) => {
        text += piece;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, contentType: response.headers["content-type"] ?? "", text }));
    });
    call.on("error", reject);
    const half = Math.floor(body.length / 2);
    call.write(body.subarray(0, half));
    call.end(body.subarray(half));
  });
}
