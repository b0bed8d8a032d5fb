import { afterEach, expect, test } from "vitest";
import { type AccountDetails, startWechat, type WechatOptions } from "../../src/emulators/wechat.ts";
import { OFFICIAL_ACCOUNT, sealed, startStubGateway, textReply, WECOM } from "./stub-gateway.ts";

const SENTENCE = "该公众号暂时无法提供服务，请稍后再试";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function connect(details: AccountDetails = OFFICIAL_ACCOUNT, options: WechatOptions = {}) {
  const gateway = await startStubGateway(details);
  const wechat = await startWechat({ hangUpAfter: () => new AbortController().signal, ...options });
  closing.push(wechat.close, gateway.close);
  return { gateway, wechat, account: wechat.addAccount({ ...details, callbackUrl: gateway.url }) };
}

test("a silent gateway is called three times with one MsgId, each time signed anew, and the customer sees a failure", async () => {
  let hangUp = new AbortController();
  const limits: number[] = [];
  const hangUpAfter = (limitMs: number) => {
    limits.push(limitMs);
    hangUp = new AbortController();
    return hangUp.signal;
  };
  const { gateway, account } = await connect(OFFICIAL_ACCOUNT, { hangUpAfter });
  gateway.answerWith(() => {
    hangUp.abort();
    return "silence";
  });
  const delivery = await account.sendText("oABC", "anybody there?");
  expect(delivery).toMatchObject({ acknowledged: false, failed: true, reply: null });
  expect(delivery.tries.map(({ status, error }) => [status, typeof error])).toEqual(Array(3).fill([null, "string"]));
  expect(limits).toEqual([5_000, 5_000, 5_000]);
  expect(gateway.reached).toHaveLength(3);
  expect(new Set(gateway.reached.map(({ msgId }) => msgId)).size).toBe(1);
  expect(new Set(gateway.reached.map(({ nonce }) => nonce)).size).toBe(3);
  expect(new Set(gateway.reached.map(({ msgSignature }) => msgSignature)).size).toBe(3);
  expect(account.seenBy("oABC")).toMatchObject([{ way: "passive", type: "failure", text: SENTENCE }]);
});

test("the first 200 ends the tries, and its reply is seen once", async () => {
  const { gateway, account } = await connect();
  gateway.misbehave({ kind: "status", status: 500, times: 1 });
  gateway.misbehave({ kind: "drop-before", times: 1 });
  gateway.answerWith(({ openId }) => sealed(OFFICIAL_ACCOUNT, textReply(OFFICIAL_ACCOUNT, openId, "welcome")));
  const delivery = await account.sendText("oABC", "hello");
  expect(delivery.tries.map(({ status }) => status)).toEqual([500, null, 200]);
  expect(delivery).toMatchObject({ acknowledged: true, failed: false, reply: { type: "text", text: "welcome" } });
  expect(account.seenBy("oABC")).toMatchObject([{ way: "passive", type: "text", text: "welcome" }]);
});

test.each(["plain", "compatible", "safe"] as const)("a %s account pushes what the gateway can prove and read", async (encryption) => {
  const details = { ...OFFICIAL_ACCOUNT, encryption };
  const { gateway, account } = await connect(details);
  const delivery = await account.sendText("oABC", "你好 ]]> &amp; 007");
  expect(delivery).toMatchObject({ acknowledged: true, failed: false, reply: null });
  expect(gateway.reached).toMatchObject([{ openId: "oABC", openIdOfQuery: "oABC" }]);
  expect(gateway.reached[0]?.xml).toContain("<Content><![CDATA[你好 ]]]]><![CDATA[> &amp; 007]]></Content>");
  expect(BigInt(gateway.reached[0]?.msgId ?? 0)).toBeGreaterThan(2n ** 53n);
});

test("a WeCom app pushes its envelope and takes an encrypted reply, cut at 2048 bytes", async () => {
  const { gateway, account } = await connect(WECOM);
  gateway.answerWith(({ openId }) => sealed(WECOM, textReply(WECOM, openId, "字".repeat(700))));
  const delivery = await account.sendText("ZhangSan", "hello");
  expect(delivery.reply?.text).toBe("字".repeat(682));
  expect(gateway.reached[0]?.xml).toContain("<AgentID>1000002</AgentID>");
  expect(gateway.reached[0]?.openIdOfQuery).toBeNull();
});

test.each([OFFICIAL_ACCOUNT, WECOM])("the URL check of $kind passes on the exact echo only", async (details) => {
  const { gateway, account } = await connect(details);
  expect(await account.verifyUrl()).toMatchObject({ ok: true, status: 200 });
  account.details = { ...details, token: "another" };
  if (details.kind === "wecom") expect((await account.verifyUrl()).ok).toBe(false);
  gateway.misbehave({ kind: "errcode", errcode: -1, errmsg: "busy" });
  expect(await account.verifyUrl()).toMatchObject({ ok: false, status: 200 });
});

const plainReply = textReply(OFFICIAL_ACCOUNT, "oABC", "hi");
test.each([
  ["is plain though the account is encrypted", plainReply, /plain reply/],
  ["has a wrong signature", sealed(OFFICIAL_ACCOUNT, plainReply, { token: "another" }), /MsgSignature/],
  ["has an envelope in milliseconds", sealed(OFFICIAL_ACCOUNT, plainReply, { timestampSeconds: 1713424427000 }), /TimeStamp/],
  [
    "has a CreateTime in milliseconds",
    sealed(OFFICIAL_ACCOUNT, textReply(OFFICIAL_ACCOUNT, "oABC", "hi", { createTime: "1713424427000" })),
    /CreateTime/,
  ],
  ["comes from another account", sealed(OFFICIAL_ACCOUNT, textReply(OFFICIAL_ACCOUNT, "oABC", "hi", { from: "gh_other" })), /FromUserName/],
  ["goes to another customer", sealed(OFFICIAL_ACCOUNT, textReply(OFFICIAL_ACCOUNT, "oXYZ", "hi")), /ToUserName/],
  ["has an empty text", sealed(OFFICIAL_ACCOUNT, textReply(OFFICIAL_ACCOUNT, "oABC", " ")), /empty/],
  ["has a text over 2047 bytes", sealed(OFFICIAL_ACCOUNT, textReply(OFFICIAL_ACCOUNT, "oABC", "x".repeat(2048))), /2047 bytes/],
  ["is an error page", "<!DOCTYPE html><html></html>", /XML/],
  ["is the word success in quotes", '"success"', /XML/],
])("an answer that %s is recorded as failed, and the next good one is seen", async (_what, body, problem) => {
  const { gateway, account } = await connect();
  gateway.answerWith(() => body);
  const delivery = await account.sendText("oABC", "hello");
  expect(delivery).toMatchObject({ acknowledged: true, failed: true, reply: null, problem: expect.stringMatching(problem) });
  gateway.answerWith(() => sealed(OFFICIAL_ACCOUNT, plainReply));
  await account.sendText("oABC", "hello again");
  expect(account.seenBy("oABC").map(({ type, text }) => [type, text])).toEqual([
    ["failure", SENTENCE],
    ["text", "hi"],
  ]);
});

test("`success` is an Official Account's word only; a WeCom app has to answer nothing at all", async () => {
  const shop = await connect();
  shop.gateway.answerWith(() => "success");
  expect(await shop.account.sendText("oABC", "hello")).toMatchObject({ failed: false, reply: null });
  const app = await connect(WECOM);
  app.gateway.answerWith(() => "success");
  expect(await app.account.sendText("ZhangSan", "hello")).toMatchObject({ failed: true });
  expect(app.account.seenBy("ZhangSan")).toEqual([]);
});

test("an image reply needs a media id of the same account", async () => {
  const { gateway, wechat, account } = await connect();
  const other = wechat.addAccount({ ...OFFICIAL_ACCOUNT, appId: "wxother", callbackUrl: gateway.url });
  const image = (id: string) =>
    textReply(OFFICIAL_ACCOUNT, "oABC", "").replace(
      /<MsgType>.*(?=<\/xml>)/,
      `<MsgType>image</MsgType><Image><MediaId>${id}</MediaId></Image>`,
    );
  gateway.answerWith(() => sealed(OFFICIAL_ACCOUNT, image(other.addMedia("image").id)));
  expect(await account.sendText("oABC", "hello")).toMatchObject({ failed: true, problem: expect.stringContaining("MediaId") });
  const { id } = account.addMedia("image");
  gateway.answerWith(() => sealed(OFFICIAL_ACCOUNT, image(id)));
  expect(await account.sendText("oABC", "hello")).toMatchObject({ failed: false, reply: { type: "image", mediaId: id } });
});

test("the same MsgId can be pushed again, and a forged signature is refused three times", async () => {
  const { gateway, account } = await connect();
  const extra = { MsgId: 7400000000000000001n, CreateTime: 1713424427 };
  await account.sendText("oABC", "once", extra);
  await account.sendText("oABC", "once", extra);
  const [first, second] = gateway.reached;
  expect(second?.xml).toBe(first?.xml);
  const forged = await account.sendXml(first?.xml ?? "", { signature: "0".repeat(40) });
  expect(forged.tries.map(({ status }) => status)).toEqual([401, 401, 401]);
});

test("every kind of message names its customer and carries what its type needs", async () => {
  const { gateway, account } = await connect();
  await account.sendImage("oABC");
  await account.sendVoice("oABC");
  await account.sendVideo("oABC");
  await account.sendLocation("oABC");
  await account.sendLink("oABC");
  await account.sendEvent("oABC", "CLICK", "menu-1");
  const picture = /<PicUrl><!\[CDATA\[(.*?)\]\]>/.exec(gateway.reached[0]?.xml ?? "")?.[1] ?? "";
  expect((await fetch(picture)).headers.get("content-type")).toBe("image/png");
  expect(gateway.reached.map(({ xml }) => /<(MediaId|Location_X|Url|EventKey)>/.exec(xml)?.[1])).toEqual([
    "MediaId",
    "MediaId",
    "MediaId",
    "Location_X",
    "Url",
    "EventKey",
  ]);
});
