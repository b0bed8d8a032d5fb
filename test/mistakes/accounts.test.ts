import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import type { LoopbackAnswer } from "../../src/emulators/loopback-answer.ts";
import type { Misbehaviour } from "../../src/emulators/misbehaviour.ts";
import { findFreePort } from "../support/free-port.ts";
import { type AccountChange, eventually, type OpenGateway, openGateway, startGateway } from "../support/gateway.ts";
import { describeMistakes } from "./expect-said.ts";

let gateway: OpenGateway;
/** What the emulated WeChat believes the time to be, beside the truth. */
let aheadMs = 0;
let count = 0;

beforeAll(async () => {
  gateway = await openGateway({ wechat: { now: () => new Date(Date.now() + aheadMs) } });
});
afterAll(() => gateway.close());

async function testOf(id: string): Promise<string> {
  const { body } = await gateway.api<{ checks: { sentence: string; remedy: string | null }[] }>("POST", `/accounts/${id}/test`);
  return body.checks.map(({ sentence, remedy }) => [sentence, remedy].filter(Boolean).join("; ")).join("\n");
}

/** A new account, right at WeChat and wrong here, as `change` says. */
async function testWrong(kind: "official_account" | "wecom", change: AccountChange): Promise<string> {
  count += 1;
  const id = `wrong-${count}`;
  const own =
    kind === "wecom" ? { agentId: 2_000_000 + count, corpSecret: `corp-secret-${count}` } : { appId: `wx00000000000000${10 + count}` };
  await gateway.connect(kind, { id, wechat: own });
  const { status, body } = await gateway.api("PATCH", `/accounts/${id}`, change);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return testOf(id);
}

async function testSpoilt(kind: "official_account" | "wecom", rule: Misbehaviour): Promise<string> {
  const repair = gateway.wechat.misbehave(rule);
  const text = await testWrong(kind, {});
  repair();
  return text;
}

async function nowhere(): Promise<string> {
  return `http://127.0.0.1:${await findFreePort()}`;
}

describeMistakes("accounts", {
  "desk-key-wrong": () => testWrong("official_account", { desk: { key: "another-key" } }),
  "desk-away": async () => testWrong("official_account", { desk: { url: `${await nowhere()}/spa1/im_callback` } }),
  "desk-url-wrong": () => testWrong("official_account", { desk: { url: gateway.desk.url.replace("/im_callback", "") } }),
  "desk-url-of-a-page": async () => {
    const page = createServer((_request, response) => response.end("<html>Welcome</html>")).listen(0, "127.0.0.1");
    await once(page, "listening");
    onTestFinished(() => {
      page.close();
    });
    return testWrong("official_account", { desk: { url: `http://127.0.0.1:${(page.address() as AddressInfo).port}/im_callback` } });
  },
  "desk-slow": async () => {
    const repair = gateway.desk.misbehave({ kind: "late", ms: 60_000 });
    const text = await testWrong("official_account", { desk: { timeoutMs: 100 } });
    repair();
    return text;
  },
  "app-secret-wrong": () => testWrong("official_account", { wechat: { appSecret: "another-secret" } }),
  "app-id-wrong": () => testWrong("official_account", { wechat: { appId: "wxffffffffffffffff" } }),
  "app-id-is-name": () => testWrong("official_account", { wechat: { appId: "gh_0123456789ab" } }),
  "ip-not-listed": () => {
    const errmsg = "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 658cff8e-7783352d-44cb33e5";
    return testSpoilt("official_account", { kind: "errcode", path: "/cgi-bin/stable_token", errcode: 40164, errmsg });
  },
  "ip-not-trusted": () => {
    const errmsg = "not allow to access from your ip, hint: [1706848717432011565347844], from ip: 203.0.113.7, more info at https://x";
    return testSpoilt("wecom", { kind: "errcode", path: "/cgi-bin/agent/get", errcode: 60020, errmsg });
  },
  "corp-secret-wrong": () => testWrong("wecom", { wechat: { corpSecret: "another-secret" } }),
  "corp-secret-of-another-app": async () => {
    await gateway.connect("wecom", { id: "other-app", wechat: { agentId: 1_000_077, corpSecret: "secret-of-77" } });
    // At WeCom it stays; here the agentId may be another account's now.
    await gateway.api("DELETE", "/accounts/other-app?confirm=other-app");
    return testWrong("wecom", { wechat: { agentId: 1_000_077 } });
  },
  "agent-id-wrong": () => testWrong("wecom", { wechat: { agentId: 7 } }),
  "url-at-another-app": async () => {
    const { wechat } = await gateway.connect("wecom", { id: "company", wechat: { corpId: "ww0000000000000009" } });
    await wechat.sendText("member", "hello", { AgentID: "1000009" });
    return eventually(
      "the warning",
      () => testOf("company"),
      (text) => text.includes("1000009"),
    );
  },
  "may-not-send": async () => {
    const account = await gateway.connect("official_account", { id: "unverified", wechat: { appId: "wx00000000000000ff" } });
    account.wechat.maySend = false;
    return testOf("unverified");
  },
  "token-lifetime-missing": () => {
    const rewrite = (answer: LoopbackAnswer) => ({ ...answer, body: answer.body.toString().replace(/,"expires_in":\d+/, "") });
    return testSpoilt("official_account", { kind: "rewrite", path: "/cgi-bin/stable_token", rewrite });
  },
  "api-base-url-wrong": async () => testWrong("official_account", { wechat: { apiBaseUrl: await nowhere() } }),
  "clock-behind": async () => {
    aheadMs = 400_000;
    const text = await testWrong("official_account", {});
    aheadMs = 0;
    return text;
  },
  "public-url-loopback": () => testWrong("official_account", {}),
  "public-url-port": async () => {
    const other = await startGateway({ environment: { WXDESK_PUBLIC_URL: "https://gateway.example.com:8443" } });
    await other.connect("official_account");
    const { body } = await other.api<{ checks: { sentence: string; remedy: string | null }[] }>("POST", "/accounts/shop/test");
    return body.checks.map(({ sentence, remedy }) => `${sentence}; ${remedy}`).join("\n");
  },
});
