import { expect, test } from "vitest";
import { canUpload } from "../../../src/domain/channel.ts";
import { decodeAesKey, encrypt } from "../../../src/wechat/cipher.ts";
import { sign } from "../../../src/wechat/signature.ts";
import { type ChannelUnderTest, describeChannel, ENCODING_AES_KEY, TOKEN } from "../conformance.ts";
import { describeRotation } from "../rotation.ts";
import { CORP_ID, createApp } from "./app.ts";

const ECHO = "1616140317555161061";

const channel: ChannelUnderTest = {
  create: createApp,
  receiverId: CORP_ID,
  sendPath: "/cgi-bin/message/send",
  tokenPath: "/cgi-bin/gettoken",
  expiredErrcode: 42001,
  wrongSecretErrcode: 40001,
  articlesMax: 8,
  permissionPath: "/cgi-bin/agent/get",
  permitted: { errcode: 0, errmsg: "ok", agentid: 1000002, close: 0 },
  forbiddenErrcode: 301002,
  callbackQuery: ({ timestamp, nonce, msgSignature }) => ({ msg_signature: msgSignature, timestamp, nonce }),
  urlCheck: (timestamp) => {
    const echostr = encrypt(ECHO, decodeAesKey(ENCODING_AES_KEY), CORP_ID);
    return { query: { msg_signature: sign([TOKEN, timestamp, "77", echostr]), timestamp, nonce: "77", echostr }, echo: ECHO };
  },
};

describeChannel("a WeCom app", channel);
describeRotation("a WeCom app", channel);

test("nothing to say is an empty body", () => {
  expect(createApp().acknowledgement).toBe("");
});

test("WeCom sets no window for replies", () => {
  expect(createApp().replyAllowance({ type: "text", text: "hello" })).toBeNull();
});

test("a text has 2048 bytes, either way", () => {
  expect(createApp()).toMatchObject({ passiveTextBytesMax: 2_048, asyncTextBytesMax: 2_048 });
});

test("WeCom takes files of any kind", () => {
  const app = createApp();
  expect(canUpload(app) && app.canPrepare({ type: "file", url: "https://media.example/p.pdf" })).toBe(true);
});
