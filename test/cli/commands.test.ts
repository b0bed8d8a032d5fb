import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_KEY, DESK_KEY, eventually, look, type OpenGateway, openGateway, type ShownMessage } from "../support/gateway.ts";
import { type Ended, wxdeskHere } from "./wxdesk.ts";

let gateway: OpenGateway;
let folder: string;
let conversation: string;
let refused: ShownMessage;

/** An account, a question that reached the desk, and an agent's answer that WeChat refused for good. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wxdesk-cli-"));
  gateway = await openGateway();
  const shop = await gateway.connect("official_account");
  gateway.desk.setAnswer("*", { status: "queueing", turn: 2, agent_name: "", msg: "" });
  await shop.wechat.sendText("oA", "你好");
  gateway.wechat.misbehave({
    kind: "errcode",
    errcode: 43004,
    errmsg: "require subscribe",
    path: "/cgi-bin/message/custom/send",
    times: 1,
  });
  await gateway.desk.pushText("oA", "your parcel has left");
  const seen = await eventually(
    "the refusal",
    () => look(gateway, shop, "oA"),
    ({ messages }) => messages.at(-1)?.state === "failed",
  );
  conversation = seen.conversation.id;
  refused = seen.messages.at(-1) as ShownMessage;
});

afterAll(async () => {
  await gateway.close();
  await rm(folder, { recursive: true, force: true });
});

/** As from another machine: an address, and a key from standard input. */
function on(...args: string[]): Promise<Ended> {
  return wxdeskHere([...args, "--url", gateway.address, "--key-file", "-"], { input: `${ADMIN_KEY}\n` });
}

describe("a gateway elsewhere", () => {
  test.each(["", "/", "/api/v1"])("is reached at its address with %j behind it", async (end) => {
    const args = ["account", "list", "--json", "--url", gateway.address + end];
    const ended = await wxdeskHere(args, { environment: { WXDESK_API_KEY: ADMIN_KEY } });
    expect(JSON.parse(ended.stdout)).toEqual((await gateway.api("GET", "/accounts")).body);
  });

  test("refuses a wrong key with its own words", async () => {
    const ended = await wxdeskHere(["account", "list", "--url", gateway.address], { environment: { WXDESK_API_KEY: "wrong" } });
    expect(ended).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/^UNAUTHORIZED: .*send one that is/) });
  });

  test("that is not there is said to be so", async () => {
    const ended = await wxdeskHere(["account", "list", "--url", "http://127.0.0.1:1"], { environment: { WXDESK_API_KEY: "k" } });
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining("CONNECT_FAILED: no connection to 127.0.0.1:1") });
  });

  test("that is something else is said to be so", async () => {
    const ended = await wxdeskHere(["account", "list", "--url", gateway.desk.url], { environment: { WXDESK_API_KEY: "k" } });
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining("is that address the gateway?") });
  });

  test.each([
    ["needs a key", ["--url", "http://127.0.0.1:1"], "--url needs an API key"],
    ["needs an address that is one", ["--url", "gateway.example.com"], "--url must be"],
    ["is what the key is for", ["--key-file", "-"], "--key-file belongs to --url"],
    ["needs a key file that is there", ["--url", "http://127.0.0.1:1", "--key-file", "/absent"], "/absent cannot be read (ENOENT)"],
  ])("%s", async (_, args, sentence) => {
    expect(await wxdeskHere(["account", "list", ...args])).toMatchObject({ code: 2, stderr: expect.stringContaining(sentence) });
  });
});

describe("accounts", () => {
  test("are changed by options and files, and only what is given changes", async () => {
    const key = join(folder, "desk.key");
    await writeFile(key, `${DESK_KEY}\n`);
    const args = ["--name", "Renamed", "--no-require-sign", "--desk-timeout", "3000", "--desk-key-file", key];
    expect(await on("account", "set", "shop", ...args)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^name +Renamed$/m) });
    expect((await gateway.api("GET", "/accounts/shop")).body).toMatchObject({
      name: "Renamed",
      desk: { timeoutMs: 3000, requireSign: false, url: gateway.desk.url },
      replies: { async: true },
    });
    expect((await on("account", "test", "shop")).stdout).toMatch(/^ok +desk .*\nok +accessToken/m);
  });

  test("that are refused end with 1 and every wrong field with its place", async () => {
    const ended = await on("account", "set", "shop", "--desk-timeout", "5", "--notices", "sometimes");
    expect(ended).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /^VALIDATION_FAILED.*\n {2}- --desk-timeout 5 must .*\n {2}- --notices "sometimes" must be changes, always or never$/m,
      ),
    });
  });

  test("whose check fails end the command with 1, and the answer is printed all the same", async () => {
    const back = gateway.desk.misbehave({ kind: "status", status: 500 });
    const ended = await on("account", "test", "shop", "--json");
    back();
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout).checks).toContainEqual(expect.objectContaining({ name: "desk", ok: false }));
  });

  test("are switched off and on, and deleted only when the id is said twice", async () => {
    await gateway.connect("wecom");
    expect(await on("account", "disable", "company")).toMatchObject({ code: 0, stdout: expect.stringContaining('"company" is disabled') });
    expect(await on("account", "enable", "company")).toMatchObject({ code: 0, stdout: expect.stringContaining('"company" is enabled') });
    expect(await on("account", "rm", "company")).toMatchObject({ code: 2, stderr: expect.stringContaining("--confirm company") });
    expect(await on("account", "rm", "company", "--confirm", "shop")).toMatchObject({ code: 2 });
    expect(await gateway.api("GET", "/accounts/company")).toMatchObject({ status: 200 });
    expect(await on("account", "rm", "company", "--confirm", "company")).toMatchObject({ code: 0 });
    expect(await gateway.api("GET", "/accounts/company")).toMatchObject({ status: 404 });
  });

  test("that a script adds without saying anything are a usage error, and a bad document is not quoted", async () => {
    expect(await on("account", "add")).toMatchObject({ code: 2, stderr: expect.stringContaining("--file") });
    const file = join(folder, "broken.json");
    await writeFile(file, '{"wechat":{"appSecret":"hunter2"');
    const ended = await on("account", "add", "--file", file);
    expect(ended).toMatchObject({ code: 2, stderr: `${file} does not hold JSON: line 1, column 33, a } is missing\n` });
  });
});

test("what is wrong is said in the command's own terms, with the value unless it may be a secret", async () => {
  const file = join(folder, "wrong.json");
  const document = {
    id: 5,
    kind: "official_account",
    wechat: { appId: "wx 1", appSecrte: "misspelt-secret", token: "a b" },
    desk: { url: "http://user:password@desk/", key: "", timeoutMs: "5" },
  };
  await writeFile(file, JSON.stringify(document));
  const { code, stderr } = await on("account", "add", "--file", file, "--name", "");
  expect(code).toBe(1);
  for (const line of [
    "  - id 5 must be text",
    '  - --name "" must not be empty',
    '  - wechat.appId "wx 1" must be 1 to 64 letters, digits, _ and -',
    "  - wechat.appSecrte is not a known field",
    "  - wechat.token must be 3 to 32 letters and digits",
    "  - desk.url must be an http or https address without user, query and fragment",
    '  - desk.timeoutMs "5" must be a number',
  ]) {
    expect(stderr.split("\n")).toContain(line);
  }
  expect(stderr).not.toMatch(/misspelt-secret|password|Invalid|expected/);

  expect(await on("account", "set", "shop", "--agent-id", "5")).toMatchObject({
    stderr: expect.stringContaining("--agent-id 5 does not belong to this kind of account"),
  });
  expect(await on("secret", "rotate", "shop", "corpSecret", "--value-file", file)).toMatchObject({
    stderr: expect.stringContaining("  - corpSecret is no secret of this kind of account; it has token,"),
  });
  expect(await on("key", "rm", "dashboard")).toMatchObject({ code: 2, stderr: expect.stringContaining("wxdesk key list shows them") });
  expect(await on("message", "show", conversation)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`wxdesk message list ${conversation} shows its messages`),
  });
  expect(await on("conversation", "list", "--account", "shopp")).toMatchObject({ stdout: expect.stringContaining("wxdesk account list") });
  expect(await on("openapi", "--out", join(folder, "not", "there"))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("(ENOENT)"),
  });
});

describe("conversations and messages", () => {
  test("are listed as the API filters them", async () => {
    const listed = await on("conversation", "list", "--account", "shop", "--status", "queueing", "--since", "1h");
    expect(listed.stdout).toMatch(new RegExp(`^${conversation} +shop +oA +queueing +2 +-`, "m"));
    expect((await on("conversation", "list", "--status", "chatting")).stdout).toBe("No such conversations.\n");
    const shown = await on("conversation", "show", "--account", "shop", "--contact", "oA", "--json");
    expect(JSON.parse(shown.stdout)).toEqual((await gateway.api("GET", `/conversations/${conversation}`)).body);
    expect(await on("conversation", "show")).toMatchObject({ code: 2 });
  });

  test("go on where a page ended", async () => {
    const first = await on("message", "list", conversation, "--limit", "1");
    const cursor = first.stdout.match(/add --cursor (\S+)/)?.[1] ?? "";
    const second = await on("message", "list", conversation, "--limit", "1", "--cursor", cursor);
    expect(first.stdout).toContain("your parcel has left");
    expect(second.stdout).toContain("你好");
  });

  test("show every attempt with its code and what that means", async () => {
    const { stdout } = await on("message", "show", refused.id);
    expect(stdout).toMatch(/^state +failed$/m);
    expect(stdout).toMatch(/^1 +\S+ +\d+ ms +rejected +async +43004 +\S.*/m);
  });

  test("are sent again, one or all of a state", async () => {
    const one = await on("message", "retry", refused.id);
    expect(one).toMatchObject({ code: 0, stdout: expect.stringMatching(`^Message ${refused.id} is `), stderr: "" });
    expect((await gateway.wechat.waitForSeen("oA", 1)).map(({ text }) => text)).toEqual(["your parcel has left"]);
    const all = await on("message", "retry", "--state", "dead", "--account", "shop");
    expect(all).toMatchObject({ code: 0, stdout: "0 sent again.\n" });
    expect(await on("message", "retry", "--state", "dead", "--account", "nope")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: 'NOT_FOUND: there is no account "nope"; wxdesk account list shows all\n',
    });
    expect(await on("message", "retry")).toMatchObject({ code: 2 });
    expect(await on("message", "retry", refused.id, "--state", "dead")).toMatchObject({ code: 2 });
  });

  test("that are not there end the command with 1", async () => {
    expect(await on("message", "show", "ms_unknown")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: 'NOT_FOUND: there is no message "ms_unknown"; wxdesk message list <conversation> shows those of a conversation\n',
    });
  });
});

test("the description of the API is the one that the gateway serves, without a gateway", async () => {
  const served = await (await fetch(`${gateway.address}/openapi.json`)).json();
  expect(JSON.parse((await wxdeskHere(["openapi"])).stdout)).toEqual(served);
  const file = join(folder, "openapi.json");
  expect(await wxdeskHere(["openapi", "--out", file])).toMatchObject({ code: 0, stdout: "" });
});
