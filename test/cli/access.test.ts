import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ADMIN_KEY, type ConnectedAccount, DESK_KEY, type OpenGateway, openGateway } from "../support/gateway.ts";
import { wxdeskHere } from "./wxdesk.ts";

let gateway: OpenGateway;
let shop: ConnectedAccount;

beforeAll(async () => {
  gateway = await openGateway();
  shop = await gateway.connect("official_account");
});
afterAll(() => gateway.close());

const on = (args: string[], { input = "", key = ADMIN_KEY } = {}) =>
  wxdeskHere([...args, "--url", gateway.address], { environment: { WXDESK_API_KEY: key }, input });

/** The value at the end of a line of the answer. */
const printed = (text: string, field: string) => new RegExp(`^${field} +(\\S+)$`, "m").exec(text)?.[1] ?? "";

async function push(url: string): Promise<number> {
  const body = JSON.stringify({ touser: "oA", msgtype: "text", text: { content: "hello" } });
  return (await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body })).status;
}

test("a new key stands alone on standard output, works as far as it was made to, and is refused once it is removed", async () => {
  const made = await on(["key", "create", "--name", "bot", "--role", "operator", "--account", "shop", "--expires", "90d"]);
  expect(made).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^wxk_[\w-]+\n$/),
    stderr: expect.stringContaining("shown this once"),
  });
  const key = made.stdout.trim();
  expect(await on(["conversation", "list"], { key })).toMatchObject({ code: 0 });
  expect(await on(["account", "list"], { key })).toMatchObject({ code: 1, stderr: expect.stringMatching(/^FORBIDDEN: .*role admin/) });

  const listed = (await on(["key", "list"])).stdout;
  expect(listed).not.toContain(key);
  const id = /^(\S+) +bot +operator +shop +\d{4}-\S+ +\d{4}-/m.exec(listed)?.[1] ?? "";
  expect(await on(["key", "rm", id])).toMatchObject({ code: 0, stdout: "", stderr: `Key ${id} is removed.\n` });
  expect(await on(["conversation", "list"], { key })).toMatchObject({ code: 1, stderr: expect.stringMatching(/^UNAUTHORIZED: /) });
});

test("the key of the settings, and the last of the admins, are not removed by a slip", async () => {
  expect(await on(["key", "rm", "key_settings"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^CONFIRMATION_MISSING: /) });
  const confirmed = await on(["key", "rm", "key_settings", "--confirm", "key_settings"]);
  expect(confirmed).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^LAST_ADMIN_KEY: .*create another one first: wxdesk key create --role admin/),
  });
});

test("a secret is replaced by one from standard input, with an overlap, and not shown", async () => {
  const ended = await on(["secret", "rotate", "shop", "deskKey", "--value-file", "-", "--overlap", "12h"], {
    input: "new-desk-key-0123456789\n",
  });
  expect(ended).toEqual({ code: 0, stdout: 'The deskKey of "shop" is replaced.\n', stderr: "" });
  expect((await gateway.desk.pushText("oA", "signed with the old one")).status).toBe(200);
  expect(await on(["secret", "rotate", "shop", "deskKey", "--revoke-previous"])).toMatchObject({ code: 0, stdout: "" });
  expect((await gateway.desk.pushText("oA", "and again")).status).toBe(401);
  await on(["account", "set", "shop", "--desk-key-file", "-"], { input: DESK_KEY });
});

test("a generated token is printed to be pasted; the old one counts until it is revoked", async () => {
  const ended = await on(["secret", "rotate", "shop", "token", "--overlap", "1d"]);
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("Shown this once: paste it now.") });
  const [old, token] = [shop.wechat.details.token, printed(ended.stdout, "token")];
  const statusWith = async (value: string) => {
    shop.wechat.details.token = value;
    return (await shop.wechat.verifyUrl()).status;
  };
  expect([await statusWith(old), await statusWith(token)]).toEqual([200, 200]);
  const shown = (await on(["account", "show", "shop", "--json"])).stdout;
  expect(JSON.parse(shown).wechat.token.previous).toHaveLength(1);
  expect(shown).not.toContain(token);
  await on(["secret", "rotate", "shop", "token", "--revoke-previous"]);
  expect([await statusWith(old), await statusWith(token)]).toEqual([401, 200]);
});

test("a new push address is printed whole; the old one counts until it is revoked", async () => {
  const { stdout } = await on(["secret", "rotate", "shop", "pushToken"]);
  const pushUrl = printed(stdout, "message push server address");
  expect([await push(shop.pushUrl), await push(pushUrl)]).toEqual([200, 200]);
  await on(["secret", "rotate", "shop", "pushToken", "--revoke-previous"]);
  expect([await push(shop.pushUrl), await push(pushUrl)]).toEqual([401, 200]);
});

test("a secret that this kind of account does not have, and an account that is not there, end with 1", async () => {
  const ended = await on(["secret", "rotate", "shop", "corpSecret", "--value-file", "-"], { input: "x" });
  expect(ended).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("corpSecret is no secret of this kind of account; it has token"),
  });
  expect(await on(["secret", "rotate", "nobody", "token"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NOT_FOUND: /) });
});

test("a key file that is empty is said to be no key", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-access-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "empty.key"), "");
  const ended = await wxdeskHere(["key", "list", "--url", gateway.address, "--key-file", join(folder, "empty.key")]);
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(/empty\.key .*no API key/) });
});

/** A gateway of another version, which no gateway of ours can play. */
test("an answer of another version is said to be one", async () => {
  const server = createServer((_, response) => response.setHeader("content-type", "application/json").end('{"keys":[]}'));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const list = (...args: string[]) =>
    wxdeskHere(["key", "list", ...args, "--url", `http://127.0.0.1:${(server.address() as AddressInfo).port}`], {
      environment: { WXDESK_API_KEY: "key" },
    });
  expect(await list()).toMatchObject({ code: 1, stderr: expect.stringContaining("of the same version") });
  expect(await list("--json")).toMatchObject({ code: 0, stdout: '{\n  "keys": []\n}\n' });
});
