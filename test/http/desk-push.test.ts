import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signQuery } from "../../src/emulators/desk-sign.ts";
import { runSql } from "../redaction/stage.ts";
import { type ConnectedAccount, DESK_KEY, eventually, look, type OpenGateway, openGateway } from "../support/gateway.ts";

const ACKNOWLEDGEMENT = { errcode: 0, errmsg: "ok", success: true };

let gateway: OpenGateway;
let account: ConnectedAccount;
let strict: ConnectedAccount;

beforeAll(async () => {
  gateway = await openGateway();
  gateway.desk.setAnswer("*", { status: "queueing", turn: 1, agent_name: "", msg: "" });
  account = await gateway.connect("official_account");
  strict = await gateway.connect("official_account", {
    id: "strict",
    wechat: { appId: "wx00000000000000aa" },
    desk: { requireSign: true },
  });
});

afterAll(() => gateway.close());

interface Push {
  to?: ConnectedAccount;
  query?: string;
  type?: string | undefined;
}

/** No content type unless one is given. */
async function push(body: string | Buffer, { to = account, query = "", type }: Push = {}) {
  const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
  const response = await fetch(`${to.pushUrl}${query}`, { method: "POST", headers, body: new Uint8Array(Buffer.from(body)) });
  const answer: unknown = await response.json();
  return { status: response.status, answer };
}

let contacts = 0;

/** A contact who has written, so that replies may be sent. */
async function newContact(to = account): Promise<string> {
  const openId = `oContact${++contacts}`;
  await to.wechat.sendText(openId, "hello");
  return openId;
}

const textPush = (touser: string, content: string, more: object = {}) =>
  JSON.stringify({ touser, msgtype: "text", text: { content }, ...more });

const texts = (openId: string, to = account) => gateway.wechat.seenBy(to.wechat, openId).map(({ text }) => text);

/** Why pushes were refused, as an operator finds it. */
async function keptReasons(like: string): Promise<unknown[]> {
  const rows = await runSql(gateway, `SELECT reason FROM push_rejects WHERE reason LIKE '${like}' ORDER BY id`);
  return rows.map(({ reason }) => reason);
}

/** Refused with a reason that a developer understands, and nothing of it stored: the next reply is the first that the contact sees. */
async function expectRefused(answer: Awaited<ReturnType<typeof push>>, openId: string, status = 400): Promise<void> {
  expect(answer).toEqual({ status, answer: { errcode: status, errmsg: expect.stringMatching(/^[\x20-\x7e]{5,200}$/), success: false } });
  await expectNext(openId);
}

async function expectNext(openId: string): Promise<void> {
  const said = `next ${openId}`;
  expect(await push(textPush(openId, said))).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
  await gateway.wechat.waitForSeen(openId, ({ text }) => text === said);
  expect(texts(openId)).toEqual([said]);
}

describe("a text reaches the customer", () => {
  const FORM = "application/x-www-form-urlencoded";
  const xml = (openId: string, name = "ToUserName") =>
    `<xml><${name}><![CDATA[${openId}]]></${name}><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[hi & 你好 😀]]></Content></xml>`;

  test.each<[string, string | undefined, (openId: string) => string]>([
    ["as JSON", "application/json", (openId) => textPush(openId, "hi & 你好 😀")],
    ["as JSON without a content type", undefined, (openId) => textPush(openId, "hi & 你好 😀")],
    ["as JSON under a form's content type", FORM, (openId) => textPush(openId, "hi & 你好 😀")],
    ["as JSON behind blanks", "text/plain", (openId) => ` \r\n${textPush(openId, "hi & 你好 😀")}`],
    ["as JSON behind a byte order mark", "application/json", (openId) => `\ufeff${textPush(openId, "hi & 你好 😀")}`],
    [
      "as JSON with escapes",
      "application/json",
      (openId) => `{"touser":"${openId}","msgtype":"text","text":{"content":"hi & \\u4f60\\u597d \\ud83d\\ude00"}}`,
    ],
    ["as a form", FORM, (openId) => `touser=${openId}&msgtype=text&text[content]=hi+%26+%E4%BD%A0%E5%A5%BD+%F0%9F%98%80`],
    [
      "as a form with escaped brackets",
      FORM,
      (openId) => `touser=${openId}&msgtype=text&text%5Bcontent%5D=hi%20%26%20%E4%BD%A0%E5%A5%BD%20%F0%9F%98%80`,
    ],
    [
      "as a form under JSON's content type",
      "application/json",
      (openId) => `touser=${openId}&msgtype=text&text%5Bcontent%5D=hi+%26+你好+😀`,
    ],
    ["as XML to the contact", "text/xml", (openId) => xml(openId)],
    ["as XML from the contact", "application/xml", (openId) => xml(openId, "FromUserName")],
    [
      "as XML with both names",
      undefined,
      (openId) => xml(openId).replace("<MsgType>", "<FromUserName>gh_0123456789ab</FromUserName><MsgType>"),
    ],
    [
      "as XML the other way round",
      "rubbish",
      (openId) => xml(openId, "FromUserName").replace("<xml>", "<xml><ToUserName>gh_0123456789ab</ToUserName>"),
    ],
    [
      "as the open API's message",
      "application/json",
      (openId) =>
        JSON.stringify({
          customer_token: openId,
          assign_type: "agent",
          messages: [{ type: "message", message_id: 1, agent_name: "Lily", data: { content: "<p>hi &amp; 你好 😀</p>" } }],
        }),
    ],
    [
      "as the open API's robot",
      "application/json",
      (openId) => JSON.stringify({ customer_token: openId, messages: { type: "message", data: { content: "hi & 你好 😀" } } }),
    ],
  ])("%s", async (_what, type, make) => {
    const openId = await newContact();
    expect(await push(make(openId), { type })).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
    await gateway.wechat.waitForSeen(openId, 1);
    expect(texts(openId)).toEqual(["hi & 你好 😀"]);
  });

  test.each([
    ["rest-client 2", "news[articles][][title]=A&news[articles][][url]=https://a.example/"],
    ["escaped", "news%5Barticles%5D%5B%5D%5Btitle%5D=A&news%5Barticles%5D%5B%5D%5Burl%5D=https%3A%2F%2Fa.example%2F"],
    [
      "rest-client 1",
      "news[articles][title]=A&news[articles][url]=https://a.example/&news[articles][title]=B&news[articles][url]=https://b.example/",
    ],
  ])("and so do articles in a form: %s", async (_what, articles) => {
    const openId = await newContact();
    expect(await push(`touser=${openId}&msgtype=news&${articles}`, { type: FORM })).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
    const [seen] = await gateway.wechat.waitForSeen(openId, 1);
    expect(seen?.raw).toContain("https://a.example/");
    const { messages } = await look(gateway, account, openId);
    expect(messages.at(-1)).toMatchObject({ type: "news", text: expect.stringContaining("[news] A https://a.example/") });
  });
});

describe("what agents' tools really send reaches the customer:", () => {
  const gbk = Buffer.from("c4e3bac3", "hex");
  const around = (before: string, words: Buffer, after: string) => Buffer.concat([Buffer.from(before), words, Buffer.from(after)]);

  test.each<[string, string, (openId: string) => string | Buffer, string[]]>([
    [
      "a form of the open API with numbers",
      "application/x-www-form-urlencoded",
      (openId) => `customer_token=${openId}&messages[0][type]=message&messages[0][data][content]=deep`,
      ["deep"],
    ],
    [
      "a form in GBK",
      "application/x-www-form-urlencoded; charset=GBK",
      (openId) => `touser=${openId}&msgtype=text&text[content]=%C4%E3%BA%C3`,
      ["你好"],
    ],
    [
      "XML in GBK",
      "text/xml",
      (openId) =>
        around(
          `<?xml version="1.0" encoding="GBK"?><xml><ToUserName>${openId}</ToUserName><MsgType>text</MsgType><Content>`,
          gbk,
          "</Content></xml>",
        ),
      ["你好"],
    ],
    ["a number", "application/json", (openId) => `{"touser":"${openId}","msgtype":"text","text":{"content":12345}}`, ["12345"]],
    ["an array", "application/json", (openId) => `[${textPush(openId, "one")},${textPush(openId, "two")}]`, ["one", "two"]],
    [
      "HTML of an editor",
      "application/json",
      (openId) =>
        textPush(openId, "<!-- v2 --><p>&ldquo;Hi&rdquo;</p><ol><li>Tea</li></ol><table><tr><td>Tea</td><td>12</td></tr></table>"),
      ["“Hi”\n1. Tea\nTea  12"],
    ],
  ])("%s", async (_what, type, make, seen) => {
    const openId = await newContact();
    expect(await push(make(openId), { type })).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
    await gateway.wechat.waitForSeen(openId, seen.length);
    expect(texts(openId)).toEqual(seen);
  });
});

test("an array is answered as one, and repeated after a refusal it says nothing twice", async () => {
  const openId = await newContact();
  const pushes = ["one", "two", "three"].map((text, index) => JSON.parse(textPush(openId, text, { message_id: `m${index}` })));
  const broken = [...pushes.slice(0, 2), { ...pushes[2], text: {} }];
  expect(await push(JSON.stringify(broken))).toMatchObject({
    status: 400,
    answer: { errmsg: "push 3 of 3: text.content: expected a text" },
  });
  for (let round = 0; round < 2; round++) expect(await push(JSON.stringify(pushes))).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
  await push(textPush(openId, "then"));
  await gateway.wechat.waitForSeen(openId, ({ text }) => text === "then");
  expect(texts(openId)).toEqual(["one", "two", "three", "then"]);
});

test("a delivery flag leaves the conversation's status as it is", async () => {
  const openId = await newContact();
  expect((await push(textPush(openId, "hi", { status: "chatting", agent_name: "Lily" }))).status).toBe(200);
  expect((await push(textPush(openId, "and", { status: 1 }))).status).toBe(200);
  expect(await push(JSON.stringify({ touser: openId, status: 1 }))).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
  await gateway.wechat.waitForSeen(openId, 2);
  expect((await look(gateway, account, openId)).conversation).toMatchObject({ status: "chatting", agentName: "Lily" });
});

test("a push that makes more than twenty messages is refused with the number, and kept for the operator; twenty are taken", async () => {
  const [one, two] = [await newContact(), await newContact()];
  const remedy =
    "messages to one customer, at most 20 are taken; send shorter texts, fewer at once, or raise WXDESK_PUSH_PARTS_MAX at the gateway";
  expect(await push(textPush(one, "x".repeat(900_000)))).toMatchObject({
    status: 400,
    answer: { errmsg: `push makes at least 440 ${remedy}` },
  });
  const messages = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ type: "message", message_id: `${count}-${index}`, data: { content: `m${index}` } }));
  const answer = await push(JSON.stringify({ customer_token: one, messages: messages(21) }));
  expect(answer).toMatchObject({ status: 400, answer: { errmsg: `push makes at least 21 ${remedy}` } });
  const kept = await keptReasons("push makes%");
  expect(kept).toEqual([`push makes at least 440 ${remedy}`, `push makes at least 21 ${remedy}`]);

  const long = `${"x".repeat(2_046)} \n`.repeat(20).trimEnd();
  const both = [one, two].map((touser) => ({ touser, msgtype: "text", text: { content: long }, message_id: "long" }));
  // A busy machine may not store the push within a second; then it is pushed again.
  await eventually(
    "the push to be stored",
    () => push(JSON.stringify(both)),
    ({ status }) => status === 200,
  );
  for (const openId of [one, two]) {
    await gateway.wechat.waitForSeen(openId, 1);
    expect((await look(gateway, account, openId)).messages.map(({ text }) => text)).toEqual(["hello", long]);
  }
});

test("an operator's text is held to the same number", async () => {
  const openId = await newContact();
  const { conversation } = await look(gateway, account, openId);
  const say = (text: string) => gateway.api("POST", `/conversations/${conversation.id}/messages`, { type: "text", text });
  expect(await say("好".repeat(20_000))).toMatchObject({
    status: 400,
    body: {
      code: "VALIDATION_FAILED",
      errors: [{ pointer: "#/text", detail: "makes at least 30 messages to the customer, at most 20 are taken; send it in shorter texts" }],
    },
  });
  expect((await say("x".repeat(3_000))).status).toBe(201);
  await gateway.wechat.waitForSeen(openId, 2);
});

test("a slash behind the push address changes nothing", async () => {
  const openId = await newContact();
  const to = { ...account, pushUrl: `${account.pushUrl}/` };
  const query = `?${new URLSearchParams(signQuery(DESK_KEY, new Date()))}`;
  expect(await push(textPush(openId, "slash"), { to, query })).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
  await gateway.wechat.waitForSeen(openId, 1);
  expect(texts(openId)).toEqual(["slash"]);
});

test("HTML becomes text with its links", async () => {
  const openId = await newContact();
  const content = '<p>See <a href="https://example.com/?a=1&amp;b=2">our page</a></p><script>alert(1)</script><p>or call</p>';
  const body = JSON.stringify({ customer_token: openId, messages: [{ type: "rich", message_id: "r1", data: { content } }] });
  expect(await push(body)).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
  await gateway.wechat.waitForSeen(openId, 1);
  expect(texts(openId)).toEqual(["See our page (https://example.com/?a=1&b=2)\nor call"]);
});

describe("what no database column can hold", () => {
  test.each([
    ["NUL", "a\\u0000b", "ab"],
    ["half a pair", "a\\ud800b", "a\ufffdb"],
    ["the other half", "a\\udc00b", "a\ufffdb"],
    ["a raw emoji", "a😀b", "a😀b"],
    ["a control character", "a\\u0007b", "ab"],
  ])("is mended in a text and in a status: %s", async (_what, escaped, meant) => {
    const openId = await newContact();
    const body = `{"touser":"${openId}","msgtype":"text","text":{"content":"${escaped}"},"message_id":"${escaped}","status":"chatting","agent_name":"${escaped}","msg":"${escaped}"}`;
    expect(await push(body)).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
    await gateway.wechat.waitForSeen(openId, 1);
    expect(texts(openId)).toEqual([meant]);
    const { conversation } = await look(gateway, account, openId);
    expect(conversation).toMatchObject({ agentName: meant, notice: meant, status: "chatting" });
  });

  test.each(['"o\\u0000A"', '"o\\ud800"', '"o A"', '""', '" "', "null", "{}", '["oA"]', `"${"o".repeat(129)}"`])(
    "is refused as a contact: %s",
    async (touser) => {
      const openId = await newContact();
      await expectRefused(await push(`{"touser":${touser},"msgtype":"text","text":{"content":"bad"}}`), openId);
    },
  );
});

describe("a push that cannot be read is refused with a reason, and changes nothing", () => {
  const json = (fields: (openId: string) => object) => (openId: string) => JSON.stringify(fields(openId));

  test.each<[string, (openId: string) => string | Buffer]>([
    ["nothing", () => ""],
    ["blanks", () => " \n "],
    ["words", () => "hello"],
    ["broken JSON", (openId) => `{"touser":"${openId}",`],
    ["a JSON string", () => '"touser"'],
    ["JSON null", () => "null"],
    ["a JSON number", () => "12"],
    ["an array", () => "[]"],
    ["an array of which one is none", (openId) => `[${textPush(openId, "bad")},${textPush(openId, "bad two")},{"touser":"${openId}"}]`],
    [
      "a message of an unknown type with words",
      (openId) => JSON.stringify({ customer_token: openId, messages: [{ type: "hologram", data: { content: "bad" } }] }),
    ],
    ["a form in parts", (openId) => `--x\r\nContent-Disposition: form-data; name="touser"\r\n\r\n${openId}\r\n--x--\r\n`],
    [
      "GBK that says UTF-8",
      (openId) =>
        Buffer.concat([
          Buffer.from(`<?xml version="1.0" encoding="UTF-8"?><xml><ToUserName>${openId}</ToUserName><MsgType>text</MsgType><Content>`),
          Buffer.from("c4e3bac3", "hex"),
          Buffer.from("</Content></xml>"),
        ]),
    ],
    ["an empty object", () => "{}"],
    ["20 000 arrays", () => "[".repeat(20_000) + "]".repeat(20_000)],
    ["20 000 objects", () => `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`],
    [
      "20 000 objects as a text",
      (openId) => `{"touser":"${openId}","msgtype":"text","text":${'{"content":'.repeat(20_000)}1${"}".repeat(20_000)}}`,
    ],
    ["20 000 XML elements deep", () => "<xml>".repeat(20_000) + "</xml>".repeat(20_000)],
    ["a DOCTYPE", (openId) => `<!DOCTYPE xml><xml><ToUserName>${openId}</ToUserName><MsgType>text</MsgType><Content>bad</Content></xml>`],
    ["XML without a name", () => "<xml><MsgType>text</MsgType><Content>bad</Content></xml>"],
    ["XML without a type", (openId) => `<xml><ToUserName>${openId}</ToUserName><Content>bad</Content></xml>`],
    ["XML with an empty text", (openId) => `<xml><ToUserName>${openId}</ToUserName><MsgType>text</MsgType><Content></Content></xml>`],
    ["XML with an unknown type", (openId) => `<xml><ToUserName>${openId}</ToUserName><MsgType>hologram</MsgType></xml>`],
    [
      "no UTF-8",
      (openId) =>
        Buffer.concat([
          Buffer.from(`{"touser":"${openId}","msgtype":"text","text":{"content":"`),
          Buffer.from([0xff, 0xfe]),
          Buffer.from('"}}'),
        ]),
    ],
    ["a type only", json(() => ({ msgtype: "text", text: { content: "bad" } }))],
    ["a contact only", json((touser) => ({ touser }))],
    ["no text", json((touser) => ({ touser, msgtype: "text" }))],
    ["an empty text", json((touser) => ({ touser, msgtype: "text", text: { content: "" } }))],
    ["a blank text", json((touser) => ({ touser, msgtype: "text", text: { content: " \n\t " } }))],
    ["a text of control characters in HTML", json((touser) => ({ touser, msgtype: "text", text: { content: "<p>\u0007</p>" } }))],
    ["a text without width", json((touser) => ({ touser, msgtype: "text", text: { content: "\u200b\ufeff" } }))],
    ["a text of NULs", json((touser) => ({ touser, msgtype: "text", text: { content: "\0\0" } }))],
    ["an empty text in a form", (openId) => `touser=${openId}&msgtype=text&text[content]=`],
    ["HTML without words", json((touser) => ({ touser, msgtype: "rich", rich: { content: "<p> </p>" } }))],
    ["yes for a text", json((touser) => ({ touser, msgtype: "text", text: { content: true } }))],
    ["a list for a text", json((touser) => ({ touser, msgtype: "text", text: [{ content: "bad" }] }))],
    ["a text in place of its object", json((touser) => ({ touser, msgtype: "text", text: "bad" }))],
    ["null for a text", json((touser) => ({ touser, msgtype: "text", text: null }))],
    ["a type that is a number", json((touser) => ({ touser, msgtype: 1, text: { content: "bad" } }))],
    ["a type that is an object", json((touser) => ({ touser, msgtype: { text: "text" }, text: { content: "bad" } }))],
    ["an unknown type", json((touser) => ({ touser, msgtype: "hologram", hologram: {} }))],
    ["a prototype's type", json((touser) => ({ touser, msgtype: "__proto__" }))],
    ["a constructor's type", json((touser) => ({ touser, msgtype: "constructor" }))],
    ["an image without address", json((touser) => ({ touser, msgtype: "image", image: {} }))],
    ["an image with an object for its id", json((touser) => ({ touser, msgtype: "image", image: { media_id: {} } }))],
    ["no articles", json((touser) => ({ touser, msgtype: "news", news: { articles: [] } }))],
    ["articles that are numbers", json((touser) => ({ touser, msgtype: "news", news: { articles: [1, 2] } }))],
    ["a link without address", json((touser) => ({ touser, msgtype: "link", link: { title: "bad" } }))],
    ["messages that are a word", json((customer_token) => ({ customer_token, messages: "bad" }))],
    ["messages that are words", json((customer_token) => ({ customer_token, messages: ["bad"] }))],
    ["messages that are null", json((customer_token) => ({ customer_token, messages: null }))],
    ["a message without data", json((customer_token) => ({ customer_token, messages: [{ type: "message" }] }))],
    [
      "one good message and one bad",
      json((customer_token) => ({
        customer_token,
        messages: [
          { type: "message", data: { content: "bad" } },
          { type: "image", data: {} },
        ],
      })),
    ],
    [
      "101 messages",
      json((customer_token) => ({
        customer_token,
        messages: Array.from({ length: 101 }, (_, index) => ({ type: "message", data: { content: `bad ${index}` } })),
      })),
    ],
    ["a form of 100 000 fields", () => "a[b][c]=1&".repeat(100_000)],
    ["a form that is only names", () => "touser&msgtype"],
    ["a form whose contact is a list", (openId) => `touser[]=${openId}&msgtype=text&text[content]=bad`],
    ["half an emoji where it is cut for the record", () => `${"x".repeat(1_999)}😀`],
    ["a NUL", () => "\0"],
  ])("%s", async (_what, make) => {
    const openId = await newContact();
    await expectRefused(await push(make(openId)), openId);
  });

  test.each(["application/json", "application/x-www-form-urlencoded", "text/xml", "rubbish", ""])("nothing at all, as %j", async (type) => {
    await expectRefused(await push("", { type }), await newContact());
  });
});

describe("who may push", () => {
  const sign = (key = DESK_KEY) => `?${new URLSearchParams(signQuery(key, new Date()))}`;

  test("a wrong token gets 401, an unknown or disabled account 404, and neither changes anything", async () => {
    const openId = await newContact();
    const body = textPush(openId, "bad");
    const { origin } = new URL(account.pushUrl);
    const token = account.pushUrl.split("/").at(-1) ?? "";
    const other = strict.pushUrl.split("/").at(-1) ?? "";
    const at = (path: string) => push(body, { to: { ...account, pushUrl: `${origin}/desk/${path}` } });
    for (const wrong of ["x", `${token}x`, token.slice(1), token.toUpperCase(), other, "%00", "%F0%9F%98%80", "x".repeat(280)]) {
      expect((await at(`shop/${wrong}`)).status).toBe(401);
    }
    for (const unknown of ["nobody", "SHOP", "%00", "shop%00", "constructor", "x".repeat(200)]) {
      expect((await at(`${unknown}/${token}`)).status).toBe(404);
    }
    await gateway.api("POST", "/accounts/shop/disable");
    await expect(push(body)).resolves.toMatchObject({ status: 404 });
    await gateway.api("POST", "/accounts/shop/enable");
    await expectNext(openId);
  });

  test("no answer to a wrong token repeats it", async () => {
    const { origin } = new URL(account.pushUrl);
    for (const path of [
      "/desk/shop/s3cretT0ken",
      "/desk/shop/s3cretT0ken/x",
      "/desk/%zz/s3cretT0ken",
      "/desk/shop/s3cretT0ken?a=s3cretT0ken",
    ]) {
      for (const method of ["GET", "POST", "PUT", "DELETE"]) {
        const response = await fetch(`${origin}${path}`, { method });
        expect([400, 401, 404, 405]).toContain(response.status);
        expect(await response.text()).not.toContain("s3cretT0ken");
      }
    }
  });

  test("a right sign is taken, a wrong or repeated one refused, also where none is required", async () => {
    for (const to of [account, strict]) {
      const openId = await newContact(to);
      const good = sign();
      const bad = [
        sign("another key"),
        `${good.slice(0, -1)}${good.endsWith("0") ? "1" : "0"}`,
        `${good}&sign=${new URLSearchParams(good).get("sign")}`,
        `${good}&timestamp=1`,
        good.replace("number=", "number=1"),
        "?sign=",
        "?sign=%zz",
        "?sign[a]=b&sign=",
      ];
      for (const query of bad) {
        const { status, answer } = await push(textPush(openId, "bad"), { to, query });
        expect({ query, status }).toEqual({ query, status: 401 });
        expect(answer).toMatchObject({ errcode: 401, success: false });
      }
      expect(await push(textPush(openId, "signed"), { to, query: good })).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
      await gateway.wechat.waitForSeen(openId, 1);
      expect(texts(openId, to)).toEqual(["signed"]);
    }
  });

  test("where a sign is required, a push without one is refused", async () => {
    const openId = await newContact(strict);
    expect(await push(textPush(openId, "bad"), { to: strict })).toMatchObject({ status: 401 });
    expect(await push(textPush(openId, "good"), { to: strict, query: sign() })).toMatchObject({ status: 200 });
    await gateway.wechat.waitForSeen(openId, 1);
    expect(texts(openId, strict)).toEqual(["good"]);
  });

  test("a body over the limit is refused with 413", async () => {
    const openId = await newContact();
    await expectRefused(await push(textPush(openId, "x".repeat(1024 * 1024))), openId, 413);
  });
});

describe("a repeated push", () => {
  test.each<[string, (openId: string) => string]>([
    ["with the desk's id", (openId) => textPush(openId, "once", { message_id: "m1" })],
    ["with a number above 2^53 for an id", (openId) => textPush(openId, "once").replace("{", '{"MsgId":9007199254740993,')],
    ["without an id", (openId) => textPush(openId, "once")],
    ["as a form", (openId) => `touser=${openId}&msgtype=text&text[content]=once`],
    ["as XML", (openId) => `<xml><ToUserName>${openId}</ToUserName><MsgType>text</MsgType><Content>once</Content><MsgId>7</MsgId></xml>`],
  ])("says nothing twice: %s", async (_what, make) => {
    const openId = await newContact();
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => push(make(openId))));
    for (const answer of answers) expect(answer).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
    await push(textPush(openId, "then", { message_id: "m2" }));
    await gateway.wechat.waitForSeen(openId, ({ text }) => text === "then");
    expect(texts(openId)).toEqual(["once", "then"]);
  });

  test("says nothing new of the conversation either", async () => {
    const openId = await newContact();
    const first = textPush(openId, "hello", { message_id: "s1", status: "chatting", agent_name: "Ann" });
    await push(first);
    await push(textPush(openId, "bye", { message_id: "s2", status: "offline" }));
    await push(first);
    expect((await look(gateway, account, openId)).conversation).toMatchObject({ status: "offline", agentName: null });
  });

  test("of a hundred contacts at once stores each reply and status once", async () => {
    const openIds = Array.from({ length: 100 }, (_, index) => `oOf100-${index}`);
    const body = JSON.stringify(
      openIds.map((touser) => ({ touser, msgtype: "text", text: { content: "all" }, status: "chatting", agent_name: "Ann" })),
    );
    expect([await push(body), await push(body)]).toEqual(Array(2).fill({ status: 200, answer: ACKNOWLEDGEMENT }));
    for (const openId of [openIds[0], openIds[99]]) {
      const { conversation, messages } = await look(gateway, account, openId ?? "");
      expect(conversation).toMatchObject({ status: "chatting", agentName: "Ann" });
      expect(messages.map(({ text }) => text)).toEqual(["all"]);
    }
  });

  test("is told from another one by its id or its words", async () => {
    const openId = await newContact();
    await push(textPush(openId, "same", { message_id: "m1" }));
    await push(textPush(openId, "same", { message_id: "m2" }));
    await push(textPush(openId, "one"));
    await push(textPush(openId, "two").replace("{", '{"MsgId":9007199254740993,'));
    await push(textPush(openId, "three").replace("{", '{"MsgId":9007199254740992,'));
    await gateway.wechat.waitForSeen(openId, 5);
    expect(texts(openId)).toEqual(["same", "same", "one", "two", "three"]);
  });

  test("is not taken for another contact's", async () => {
    const [first, second] = [await newContact(), await newContact()];
    for (const openId of [first, second]) await push(textPush(openId, "same", { message_id: "m9" }));
    for (const openId of [first, second]) await gateway.wechat.waitForSeen(openId, 1);
    expect([texts(first), texts(second)]).toEqual([["same"], ["same"]]);
  });
});

describe("what says nothing to the customer", () => {
  test.each<[string, (openId: string) => string]>([
    ["a typing hint as a form", (openId) => `touser=${openId}&command=Typing`],
    ["a typing hint as JSON", (openId) => JSON.stringify({ touser: openId, command: "CancelTyping" })],
    ["a status", (openId) => JSON.stringify({ touser: openId, status: "queueing", turn: 3 })],
    ["a session event", (openId) => JSON.stringify({ customer_token: openId, messages: [{ type: "start_session", agent_name: "Lily" }] })],
    ["an unknown event", (openId) => JSON.stringify({ customer_token: openId, messages: [{ type: "hologram" }] })],
    [
      "100 000 messages that are none",
      (openId) => JSON.stringify({ customer_token: openId, messages: Array.from({ length: 100_000 }, () => ({})) }),
    ],
    [
      "a text of blanks of the open API",
      (openId) => JSON.stringify({ customer_token: openId, messages: [{ type: "message", data: { content: " \n" } }] }),
    ],
    ["no messages", (openId) => JSON.stringify({ customer_token: openId, messages: [] })],
  ])("is acknowledged: %s", async (_what, make) => {
    const openId = await newContact();
    expect(await push(make(openId))).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
    await expectNext(openId);
  });

  test.each(["1e400", "-1", "1.5", '"three"', "null", "{}", "[]", "99999999999", '"7"', "true"])(
    "odd values of a status change no more than it: %s",
    async (odd) => {
      const openId = await newContact();
      for (const field of ["turn", "status", "agent_name", "msg", "message_id"]) {
        const body = `{"touser":"${openId}","msgtype":"text","text":{"content":"${field}"},"status":"chatting","${field}":${odd}}`;
        expect(await push(body)).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
      }
      await gateway.wechat.waitForSeen(openId, ({ text }) => text === "message_id");
    },
  );
});

test("a push to somebody who is not a contact of the account is stored, and shows the platform's refusal", async () => {
  expect(await push(textPush("oStranger", "hi"))).toEqual({ status: 200, answer: ACKNOWLEDGEMENT });
  const { messages } = await eventually(
    "the refusal",
    () => look(gateway, account, "oStranger"),
    ({ messages: [reply] }) => reply?.state === "failed",
  );
  expect(messages).toMatchObject([{ direction: "outbound", text: "hi", errorCode: "40003" }]);
});
