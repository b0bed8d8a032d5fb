import { expect, test } from "vitest";
import { toPasteList } from "../../src/cli/paste-list.ts";
import { createdAccount } from "../../src/http/api/schemas/account.ts";

const MARK = { set: true, hint: "…f3a9", changedAt: null, previous: [] };
const BASE = {
  id: "shop",
  name: "Shop",
  enabled: true,
  desk: {
    protocol: "udesk-message-interface",
    url: "https://example.udesk.cn/spa1/im_callback",
    key: MARK,
    pushToken: MARK,
    timeoutMs: 4_000,
    identity: "empty",
    requireSign: false,
    types: {},
  },
  replies: { async: true, notices: "changes", passiveWaitMs: 4_500 },
  callbackUrl: "https://gateway.example.com/wechat/shop",
  pushUrl: "https://gateway.example.com/desk/shop/QZcYqfSN3y9D",
  warning: null,
  warnings: [],
  createdAt: "2026-01-31T02:03:04.005Z",
  updatedAt: "2026-01-31T02:03:04.005Z",
};
const CALLBACK = { apiBaseUrl: "https://api.weixin.qq.com", timestampToleranceSeconds: 600, token: MARK, encodingAesKey: MARK };

const official = (encryption: string, generated: object, more: object = {}) =>
  createdAccount.parse({
    ...BASE,
    ...more,
    kind: "official_account",
    wechat: { ...CALLBACK, appId: "wx1", appSecret: MARK, encryption },
    generated,
  });

test("an Official Account: in the order of the console, what was generated is marked, what was given is not repeated", () => {
  expect(toPasteList(official("safe", { encodingAesKey: "9oUK8qtSPgwc" }))).toBe(`\
Account "shop" is created. Three things are left to do. Values marked * are shown this once: copy them now.

1. WeChat, mp.weixin.qq.com: 设置与开发 → 基本配置

   IP白名单               the public address from which this gateway reaches the internet
   服务器配置 → 修改配置
     URL                  https://gateway.example.com/wechat/shop
     Token                the one you gave
     * EncodingAESKey     9oUK8qtSPgwc
     消息加解密方式       安全模式

   WeChat calls the address when you submit, so the gateway must be running and reachable. Then press 启用: from that moment
   the gateway gets all messages.

2. Desk: Management Center → Instant Messaging → Message Interface Access

   * message push server address  https://gateway.example.com/desk/shop/QZcYqfSN3y9D

3. Check: npx wxdesk account test shop`);
});

test("in plain mode there is no EncodingAESKey to paste", () => {
  const text = toPasteList(official("plain", { token: "YQUS8kwUtpiu" }));
  expect(text).toMatch(/\* Token +YQUS8kwUtpiu\n +消息加解密方式 +明文模式/);
  expect(text).not.toContain("EncodingAESKey");
});

test("a WeCom app has its own console, and its trusted IP comes last", () => {
  const wechat = { ...CALLBACK, corpId: "ww1", corpSecret: MARK, agentId: 1000002 };
  const generated = { token: "YQUS8kwUtpiu", encodingAesKey: "9oUK8qtSPgwc" };
  const text = toPasteList(createdAccount.parse({ ...BASE, kind: "wecom", wechat, generated }));
  expect(text).toMatch(/应用管理[\s\S]*URL +https[\s\S]*Token +YQUS[\s\S]*EncodingAESKey +9oUK[\s\S]*企业可信IP/);
  expect(text).not.toContain("mp.weixin.qq.com");
});

test("an address that WeChat cannot reach is said to be one before it is pasted", () => {
  const text = toPasteList(official("safe", {}, { callbackUrl: "http://127.0.0.1:8787/wechat/shop" }));
  expect(text).toContain("WeChat cannot reach http://127.0.0.1:8787/wechat/shop. Put WXDESK_PUBLIC_URL=");
  // The demo's WeChat is on this machine too.
  const account = official("safe", {}, { callbackUrl: "http://127.0.0.1:8787/wechat/shop" });
  account.wechat.apiBaseUrl = "http://127.0.0.1:4000";
  expect(toPasteList(account)).not.toContain("cannot reach");
});
