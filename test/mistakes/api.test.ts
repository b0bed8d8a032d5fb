import { afterAll, beforeAll } from "vitest";
import { callAs, createApi } from "../http/api/app.ts";
import { DESK_KEY, type OpenGateway, openGateway } from "../support/gateway.ts";
import { describeMistakes } from "./expect-said.ts";

let gateway: OpenGateway;

beforeAll(async () => {
  gateway = await openGateway();
  await gateway.connect("official_account");
});
afterAll(() => gateway.close());

const ask = async (method: string, path: string, body?: unknown, key?: string | null) =>
  toText((await gateway.api(method, path, body, key)).body);

/** As it reads, without the escapes of JSON. */
function toText(problem: Record<string, unknown>): string {
  const errors = Array.isArray(problem.errors) ? problem.errors : [];
  return [problem.detail, ...errors.map((error: { pointer: string; detail: string }) => `${error.pointer} ${error.detail}`)].join("\n");
}

const create = (change: { wechat?: object; desk?: object }) =>
  ask("POST", "/accounts", {
    id: "another",
    name: "Another",
    kind: "official_account",
    wechat: { appId: "wx0123456789abcdef", appSecret: "app-secret", ...change.wechat },
    desk: { protocol: "udesk-message-interface", url: gateway.desk.url, key: DESK_KEY, ...change.desk },
  });

describeMistakes("api", {
  "api-key-missing": () => ask("GET", "/accounts", undefined, null),
  "api-key-wrong": () => ask("GET", "/accounts", undefined, "wrong-key"),
  "role-too-low": async () => {
    const api = await createApi();
    const problem = (await callAs(api, "viewer")("GET", "/accounts")).json();
    await api.close();
    return toText(problem);
  },
  "aes-key-short": () => create({ wechat: { encodingAesKey: "a".repeat(42) } }),
  "token-form": () => create({ wechat: { token: "not-a-token" } }),
  "id-taken": () =>
    ask("POST", "/accounts", {
      id: "shop",
      name: "Shop",
      kind: "official_account",
      wechat: { appId: "wx0123456789abcdef", appSecret: "app-secret" },
      desk: { protocol: "udesk-message-interface", url: gateway.desk.url, key: DESK_KEY },
    }),
  "desk-key-missing": () => create({ desk: { key: undefined } }),
  "app-secret-missing": () => create({ wechat: { appSecret: undefined } }),
  "kind-mixed": () => create({ wechat: { corpId: "ww0123456789abcdef" } }),
  "desk-url-with-query": () => create({ desk: { url: `${gateway.desk.url}?number=1` } }),
  "test-while-disabled": async () => {
    await gateway.api("POST", "/accounts/shop/disable");
    const text = await ask("POST", "/accounts/shop/test");
    await gateway.api("POST", "/accounts/shop/enable");
    return text;
  },
  "delete-unconfirmed": () => ask("DELETE", "/accounts/shop"),
});
