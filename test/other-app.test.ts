import { afterAll, beforeAll, expect, test } from "vitest";
import { type ConnectedAccount, eventually, look, type OpenGateway, openGateway } from "./support/gateway.ts";

const OTHER = { AgentID: "1000009" };

let gateway: OpenGateway;
let count = 0;

beforeAll(async () => {
  gateway = await openGateway();
  gateway.desk.setAnswer("*", { status: "queueing", turn: 1, agent_name: "", msg: "" });
});
afterAll(() => gateway.close());

/** Each test has a company and a member of its own. */
async function connected(replies: Record<string, unknown> = {}) {
  count += 1;
  const corpId = `ww00000000000000${10 + count}`;
  const account = await gateway.connect("wecom", {
    id: `company-${count}`,
    wechat: { corpId, agentId: 1_000_002 },
    replies: { notices: "never", ...replies },
  });
  return { account, member: `member${count}` };
}

interface Shown {
  warning: { code: string; sentence: string } | null;
}

const warningOf = ({ id }: ConnectedAccount, isTrue: (warning: Shown["warning"]) => boolean) =>
  eventually("the account's warning", async () => (await gateway.api<Shown>("GET", `/accounts/${id}`)).body.warning, isTrue);

test("a message for another WeCom app is kept, warned of, and not answered as the account's own app", async () => {
  const { account, member } = await connected();
  expect(await account.wechat.sendText(member, "for the other app", OTHER)).toMatchObject({ acknowledged: true });
  await gateway.desk.waitForReceived(member, 1);
  const warning = await warningOf(account, (seen) => seen !== null);
  expect(warning).toMatchObject({ code: "APP_MISMATCH", sentence: expect.stringMatching(/app 1000009.*app 1000002/) });

  await gateway.desk.pushText(member, "an answer");
  const { conversation, messages } = await eventually(
    "the answer to be held",
    () => look(gateway, account, member),
    (seen) => seen.conversation.reply.held === 1,
  );
  expect(conversation.reply.ways).toEqual([]);
  expect(messages.at(-1)).toMatchObject({ state: "held", errorCode: "APP_MISMATCH", error: expect.stringContaining("1000009") });

  // A member who wrote to the right app still gets the reply, and that removes the warning.
  await account.wechat.sendText("colleague", "hello");
  await gateway.desk.pushText("colleague", "hello colleague");
  await gateway.wechat.waitForSeen("colleague", ({ text }) => text === "hello colleague");
  await warningOf(account, (seen) => seen === null);
  expect(account.wechat.seenBy(member)).toEqual([]);

  // The held answer rides on the response of the member's next message, whose chat is the right one.
  expect((await account.wechat.sendText(member, "still here", OTHER)).reply?.text).toBe("an answer");
});

test("an answer that was held for another app goes out once the account is that app", async () => {
  const { account, member } = await connected();
  await account.wechat.sendText(member, "hello", OTHER);
  await gateway.desk.pushText(member, "one");
  await eventually(
    "the answer to be held",
    () => look(gateway, account, member),
    (seen) => seen.conversation.reply.held === 1,
  );
  expect((await gateway.api("PATCH", `/accounts/${account.id}`, { wechat: { agentId: 1000009 } })).status).toBe(200);
  if (account.wechat.details.kind === "wecom") account.wechat.details.agentId = 1000009;
  const { messages } = await look(gateway, account, member);
  const held = messages.find(({ state }) => state === "held");
  expect((await gateway.api("POST", `/messages/${held?.id}/retry`)).status).toBeLessThan(300);
  await gateway.wechat.waitForSeen(member, ({ text }) => text === "one");
});

test("an account that answers passively only reaches the app that was written to, and is warned all the same", async () => {
  const { account, member } = await connected({ async: false });
  const asked = account.wechat.sendText(member, "hello", OTHER);
  await gateway.desk.waitForReceived(member, 1);
  await gateway.desk.pushText(member, "an answer");
  expect((await asked).reply?.text).toBe("an answer");
  await warningOf(account, (seen) => seen?.code === "APP_MISMATCH");
});

test("a message that names no app, the whole enterprise, or the own app with zeros before it is the account's own", async () => {
  const { account, member } = await connected();
  for (const [index, AgentID] of ["0", "", "001000002", "enterprise"].entries()) {
    await account.wechat.sendText(`${member}-${index}`, "hello", { AgentID });
    await gateway.desk.pushText(`${member}-${index}`, "an answer");
    await gateway.wechat.waitForSeen(`${member}-${index}`, ({ text }) => text === "an answer");
  }
  await warningOf(account, (seen) => seen === null);
});

test("a visit to another app does not hold the answers of a conversation with this one", async () => {
  const { account, member } = await connected();
  await account.wechat.sendText(member, "hello");
  await account.wechat.sendEvent(member, "enter_agent", "", OTHER);
  await warningOf(account, (seen) => seen?.code === "APP_MISMATCH");
  await gateway.desk.pushText(member, "an answer");
  await gateway.wechat.waitForSeen(member, ({ text }) => text === "an answer");
});
