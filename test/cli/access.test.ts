import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { wxdeskHere } from "./wxdesk.ts";

interface Asked {
  method: string | undefined;
  url: string | undefined;
  body?: unknown;
}

/** The API from outside: what it was asked, answered with one document. */
async function answerWith(status: number, document: unknown) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const hasBody = request.headers["content-type"] === "application/json";
    asked.push({ method: request.method, url: request.url, ...(hasBody && { body: await json(request) }) });
    response.writeHead(status, { "content-type": "application/json" }).end(document === null ? "" : JSON.stringify(document));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const on = (args: string[], input?: string) =>
    wxdeskHere([...args, "--url", url], { environment: { WXDESK_API_KEY: "key" }, ...(input !== undefined && { input }) });
  return { asked, on };
}

const KEY = {
  id: "key_1",
  name: "bot",
  role: "operator",
  accountIds: ["shop"],
  createdAt: "2026-01-31T02:03:04.005Z",
  expiresAt: null,
  lastUsedAt: null,
};

test("a new key stands alone on standard output, so that it can go into a file unseen", async () => {
  const { asked, on } = await answerWith(201, { ...KEY, key: "wxk_new" });
  const made = await on(["key", "create", "--name", "bot", "--role", "operator", "--account", "shop", "--expires", "90d"]);
  expect(made).toMatchObject({ code: 0, stdout: "wxk_new\n", stderr: expect.stringContaining("shown this once") });
  expect(asked).toEqual([
    {
      method: "POST",
      url: "/api/v1/api-keys",
      body: { name: "bot", role: "operator", accountIds: ["shop"], expiresAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    },
  ]);
});

test("keys are listed and removed", async () => {
  const list = await answerWith(200, { items: [KEY, { ...KEY, id: "key_2", accountIds: [] }] });
  expect((await list.on(["key", "list"])).stdout).toMatch(/^key_1 +bot +operator +shop +never +never\nkey_2 +bot +operator +all /m);
  const remove = await answerWith(204, null);
  expect(await remove.on(["key", "rm", "key_settings", "--confirm", "key_settings"])).toMatchObject({ code: 0, stdout: "" });
  expect(remove.asked).toEqual([{ method: "DELETE", url: "/api/v1/api-keys/key_settings?confirm=key_settings" }]);
});

test("a secret is replaced by one from standard input, with an overlap, and not shown", async () => {
  const { asked, on } = await answerWith(200, { id: "shop", pushUrl: "https://g/desk/shop/…aaXb", generated: {} });
  const ended = await on(["secret", "rotate", "shop", "deskKey", "--value-file", "-", "--overlap", "12h"], "new-desk-key\n");
  expect(ended).toEqual({ code: 0, stdout: 'The deskKey of "shop" is replaced.\n', stderr: "" });
  const body = { value: "new-desk-key", overlapSeconds: 43_200 };
  expect(asked).toEqual([{ method: "POST", url: "/api/v1/accounts/shop/secrets/deskKey", body }]);
});

test("what is generated is printed to be pasted", async () => {
  const token = await answerWith(200, { pushUrl: "https://g/desk/shop/…aaXb", generated: { token: "newToken" } });
  expect((await token.on(["secret", "rotate", "shop", "token"])).stdout).toMatch(/Shown this once: paste it now\.\n\ntoken +newToken\n$/);
  expect(token.asked).toMatchObject([{ body: {} }]);
  const push = await answerWith(200, { pushUrl: "https://g/desk/shop/newPushToken", generated: {} });
  expect((await push.on(["secret", "rotate", "shop", "pushToken"])).stdout).toContain(
    "message push server address  https://g/desk/shop/newPushToken",
  );
});

test("an overlap is ended before its time", async () => {
  const { asked, on } = await answerWith(200, {});
  expect(await on(["secret", "rotate", "shop", "token", "--revoke-previous"])).toMatchObject({ code: 0, stdout: "" });
  expect(asked).toEqual([{ method: "DELETE", url: "/api/v1/accounts/shop/secrets/token/previous" }]);
});

test("an answer of another version is said to be one", async () => {
  const { on } = await answerWith(200, { keys: [] });
  expect(await on(["key", "list"])).toMatchObject({ code: 1, stderr: expect.stringContaining("of the same version") });
  expect(await on(["key", "list", "--json"])).toMatchObject({ code: 0, stdout: '{\n  "keys": []\n}\n' });
});
