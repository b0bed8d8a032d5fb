import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { startDesk } from "../../src/emulators/desk.ts";
import { startWechat } from "../../src/emulators/wechat.ts";
import { copyDataFolder, prepareDataFolder } from "../crash/stage.ts";
import { ADMIN_KEY, callApi } from "../support/gateway.ts";
import { spawnGateway } from "../support/process.ts";
import { hasPseudoTerminal, sitDown } from "./pseudo-terminal.ts";
import { buildBefore, wxdesk } from "./wxdesk.ts";

prepareDataFolder();
buildBefore();

const ENTER = "\r";
const APP_SECRET = randomBytes(16).toString("hex");
const DESK_KEY = randomBytes(16).toString("hex");

test.skipIf(!hasPseudoTerminal)(
  "a person is walked through an account, sees no secret echoed, and what is printed to be pasted connects it",
  async () => {
    const folder = await copyDataFolder();
    const environment = { WXDESK_PORT: "0", WXDESK_DATA_DIR: folder };
    const gateway = spawnGateway({ ...environment, WXDESK_ADMIN_KEY: ADMIN_KEY }, folder);
    const address = await gateway.listening();
    const desk = await startDesk({ key: DESK_KEY });
    onTestFinished(desk.close);
    const wechat = await startWechat();
    onTestFinished(wechat.close);

    const person = sitDown(["account", "add", "--api-base-url", wechat.url], folder, environment);
    await person.answer("What kind of account", ENTER);
    await person.answer("Its id", `Shop!${ENTER}`);
    await person.answer("must be 1 to 63 of a-z", `${"\u007f".repeat(5)}shop${ENTER}`);
    await person.answer("Its name", `商店${ENTER}`);
    await person.answer("AppID", `wx0123456789abcdef${ENTER}`);
    await person.answer("May it send", ENTER);
    await person.answer("AppSecret", `${APP_SECRET}${ENTER}`);
    await person.answer("How are callbacks encrypted", ENTER);
    await person.answer("Generate Token and EncodingAESKey?", ENTER);
    await person.answer("im_callback address", `${desk.url}${ENTER}`);
    await person.answer("The desk's KEY", `${DESK_KEY}${ENTER}`);
    await person.answer('Create the account "shop"?', ENTER);
    expect(await person.exited()).toBe(0);
    expect(person.screen).not.toContain(APP_SECRET);
    expect(person.screen).not.toContain(DESK_KEY);

    const pasted = (field: string) => person.screen.match(new RegExp(`${field} +(\\S+)`))?.[1] ?? "";
    desk.connectPush(pasted("message push server address"));
    const account = wechat.addAccount({
      kind: "official_account",
      appId: "wx0123456789abcdef",
      appSecret: APP_SECRET,
      token: pasted("\\* Token"),
      encodingAesKey: pasted("\\* EncodingAESKey"),
      encryption: "safe",
      accountName: "gh_0123456789ab",
      callbackUrl: pasted("  URL"),
    });
    expect(await account.verifyUrl()).toMatchObject({ ok: true });
    const tested = await wxdesk(["account", "test", "shop"], { cwd: folder, environment });
    expect(tested).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok +desk .*\nok +accessToken/m) });
    desk.setAnswer("oA", { status: "chatting", turn: 0, agent_name: "Lily", msg: "" });
    await account.sendText("oA", "hello");
    await desk.pushText("oA", "good day");
    await wechat.waitForSeen("oA", 1);
    expect(await callApi(address, "GET", "/accounts/shop", undefined, ADMIN_KEY)).toMatchObject({ body: { name: "商店" } });
  },
);

test.skipIf(!hasPseudoTerminal)("Ctrl-C in the middle changes nothing and is no stack trace", async () => {
  const folder = await copyDataFolder();
  const environment = { WXDESK_DATA_DIR: folder, WXDESK_ADMIN_KEY: ADMIN_KEY };
  const person = sitDown(["account", "add"], folder, environment);
  await person.answer("What kind of account", ENTER);
  await person.answer("Its id", "\u0003");
  expect(await person.exited()).toBe(1);
  expect(person.screen).toContain("Stopped; nothing was changed.");
  expect(person.screen).not.toMatch(/^\s+at /m);
  expect((await wxdesk(["account", "list"], { cwd: folder, environment })).stdout).toContain("No accounts yet");
});

test.skipIf(!hasPseudoTerminal)("deleting asks a person to type the id", async () => {
  const folder = await copyDataFolder();
  const environment = { WXDESK_DATA_DIR: folder, WXDESK_ADMIN_KEY: ADMIN_KEY };
  const person = sitDown(["account", "rm", "shop"], folder, environment);
  await person.answer("Type its id to go on", `shoo${ENTER}`);
  expect(await person.exited()).toBe(2);
  expect(person.screen).toContain("nothing was deleted");
});
