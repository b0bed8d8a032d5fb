import { expect, test } from "vitest";
import { canUpload } from "../../../src/domain/channel.ts";
import { sign } from "../../../src/wechat/signature.ts";
import { type ChannelUnderTest, describeChannel, NOW, TOKEN } from "../conformance.ts";
import { describeRotation } from "../rotation.ts";
import { APP_ID, createAccount } from "./account.ts";

const channel: ChannelUnderTest = {
  create: createAccount,
  receiverId: APP_ID,
  sendPath: "/cgi-bin/message/custom/send",
  tokenPath: "/cgi-bin/stable_token",
  expiredErrcode: 42001,
  wrongSecretErrcode: 40125,
  articlesMax: 1,
  permissionPath: "/cgi-bin/message/custom/typing",
  permitted: { errcode: 40003, errmsg: "invalid openid" },
  forbiddenErrcode: 48001,
  callbackQuery: ({ timestamp, nonce, msgSignature }) => ({
    signature: sign([TOKEN, timestamp, nonce]),
    timestamp,
    nonce,
    openid: "oJqxQwYRyZMXFTc8sipB5TSe6Vw4",
    encrypt_type: "aes",
    msg_signature: msgSignature,
  }),
  urlCheck: (timestamp) => ({
    query: { signature: sign([TOKEN, timestamp, "77"]), timestamp, nonce: "77", echostr: "12345678901234567890123" },
    echo: "12345678901234567890123",
  }),
};

describeChannel("an Official Account", channel);
describeRotation("an Official Account", channel);

test("nothing to say is said as success, which WeChat takes as heard", () => {
  expect(createAccount().acknowledgement).toBe("success");
});

test("a passive text stays at 1800 bytes, an asynchronous one at 2048", () => {
  expect(createAccount()).toMatchObject({ passiveTextBytesMax: 1_800, asyncTextBytesMax: 2_048 });
});

test("a plain callback is answered in plain XML", () => {
  const to = { openId: "customer", accountName: "gh_us", credential: null };
  const { body } = createAccount({ encryption: "plain" }).renderReply(to, { type: "text", text: "您好" }, NOW);
  expect(body).toContain("<Content><![CDATA[您好]]></Content>");
});

test("an Official Account has no form for a file", () => {
  const account = createAccount();
  expect(canUpload(account) && account.canPrepare({ type: "file", url: "https://media.example/p.pdf" })).toBe(false);
});
