import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openPractice } from "../../src/demo/practice.ts";
import { startDesk } from "../../src/emulators/desk.ts";
import { wxdeskHere } from "../cli/wxdesk.ts";
import { ADMIN_KEY, startGateway } from "../support/gateway.ts";

async function startPractice() {
  const gateway = await startGateway();
  const key = randomBytes(16).toString("hex");
  const desk = { ...(await startDesk({ key })), key };
  onTestFinished(desk.close);
  const practice = await openPractice({ wechat: gateway.wechat, desk }, ["export WXDESK_DATA_DIR=/tmp/x"]);
  onTestFinished(practice.close);
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-practice-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "practice.json");
  await writeFile(file, JSON.stringify(practice.document));

  const on = (...args: string[]) => wxdeskHere([...args, "--url", gateway.address], { environment: { WXDESK_API_KEY: ADMIN_KEY } });
  /** As a browser does it, or `curl -d`. */
  const post = async (path: string, fields: Record<string, string>) => {
    const answer = await fetch(practice.url + path, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
    expect(answer).toMatchObject({ status: 303 });
    return (await answer.text()).trim();
  };
  const page = async () => (await fetch(practice.url)).text();
  return { on, post, page, file };
}

/** The value at the end of a line that `account add` printed. */
const printed = (text: string, field: string) => new RegExp(`^ *\\*? *${field} +(\\S+)$`, "m").exec(text)?.[1] ?? "";

test("what account add prints, pasted into the page, connects the account; a message and its answer go through", async () => {
  const { on, post, page, file } = await startPractice();
  expect(await page()).toContain("export WXDESK_DATA_DIR=/tmp/x");
  const { code, stdout } = await on("account", "add", "--file", file);
  expect(code).toBe(0);

  const console = { url: printed(stdout, "URL"), token: printed(stdout, "Token"), encodingAesKey: printed(stdout, "EncodingAESKey") };
  expect(await post("/wechat", console)).toBe("WeChat: saved. The gateway answered WeChat's check of the address.");
  expect(await post("/desk", { pushUrl: printed(stdout, "message push server address") })).toMatch(/^Desk: saved\./);
  expect(await on("account", "test", "practice")).toMatchObject({ code: 0 });

  expect(await post("/customer", { text: "Is <b>anybody</b> there?" })).toBe("WeChat: the gateway has taken the message.");
  expect(await post("/agent", { text: "I am!" })).toBe("Desk: the reply has reached the customer.");
  const shown = await page();
  expect(shown).toContain("<li>Is &lt;b&gt;anybody&lt;/b&gt; there?</li>");
  expect(shown).toContain("<li>2 customers before you (passive)</li><li>I am! (async)</li>");
  expect((await on("conversation", "list")).stdout).toMatch(/practice +oPractice\w+ +chatting .*Lily/);
});

test("what was pasted wrongly, or not yet, is said", async () => {
  const { on, post, file } = await startPractice();
  expect(await post("/customer", { text: "hello" })).toContain("fill in its console first");
  expect(await post("/agent", { text: "hello" })).toContain("fill in its console first");
  const { stdout } = await on("account", "add", "--file", file);
  const console = { url: printed(stdout, "URL"), token: "anotherToken", encodingAesKey: printed(stdout, "EncodingAESKey") };
  expect(await post("/wechat", { ...console, url: "somewhere" })).toContain("not an address");
  expect(await post("/wechat", { ...console, encodingAesKey: "short" })).toContain("43 letters and digits");
  expect(await post("/wechat", console)).toMatch(/the check of the address failed \(status 401: /);
  expect(await post("/customer", { text: "hello" })).toContain("the last answer: status 401");
  expect(await post("/desk", { pushUrl: printed(stdout, "message push server address").replace(/[^/]+$/, "wrong") })).toMatch(
    /^Desk: saved/,
  );
  expect(await post("/agent", { text: "hello" })).toMatch(/the gateway refused the reply: status 401/);
  expect(await post("/wechat", { ...console, token: printed(stdout, "Token") })).toContain("saved");
});
