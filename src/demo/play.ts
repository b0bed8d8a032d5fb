import type { Delivery } from "../emulators/wechat.ts";
import type { Connected } from "./accounts.ts";
import { readUntil, requireEqual } from "./checks.ts";
import type { Message, Operator } from "./operator.ts";
import type { Stagehand } from "./print.ts";

const CUSTOMER = "oDemoCustomer0000000000Wang";
const MEMBER = "LiMing";
const AGENT = "Lily";

/** A customer of the Official Account, from the queue to an agent, with words and pictures both ways. */
export async function playShop(shop: Connected, operator: Operator, hand: Stagehand): Promise<void> {
  await queue(shop, operator, hand);
  await meetAgent(shop, operator, hand);
  await answerWhileOpen(shop, CUSTOMER, "Do they run small?", "A little. Take one size up.", hand);
  await answerLater(shop, CUSTOMER, "And they are back in stock on Friday 👟", hand);
  await swapPictures(shop, hand);
  await listMessages(shop, CUSTOMER, operator, hand);
}

/** A member of the company at the WeCom app, where an agent is already there. */
export async function playStaff(staff: Connected, operator: Operator, hand: Stagehand): Promise<void> {
  staff.desk.setAnswer("*", { status: "chatting", turn: 0, agent_name: "Tom", msg: "" });
  await answerWhileOpen(staff, MEMBER, "我的电脑连不上打印机", "马上过来看看 🙂", hand);
  await answerLater(staff, MEMBER, "It is on again. Please try.", hand);
  await listMessages(staff, MEMBER, operator, hand);
}

async function queue({ id, wechat, desk }: Connected, operator: Operator, hand: Stagehand): Promise<void> {
  const question = "你好! Do you have the red shoes in 42? ]]> &amp; 007";
  const notice = "2 customers before you";
  desk.setAnswer(CUSTOMER, { status: "queueing", turn: 2, agent_name: "", msg: notice });
  const delivery = await hand.step({ from: "customer", to: "desk", what: quote(question) }, async () => {
    const pushed = await wechat.sendText(CUSTOMER, question);
    requireEqual(desk.received(CUSTOMER).at(-1)?.text, question, "what the desk received last");
    return pushed;
  });
  await hand.step(
    { from: "desk", to: "customer", what: `${quote(notice)} as passive reply` },
    async () => requirePassive(delivery, notice),
    () => duration(delivery),
  );
  await readStatus({ status: "queueing", turn: 2, agentName: null }, id, operator, hand);
}

async function meetAgent({ id, wechat, desk }: Connected, operator: Operator, hand: Stagehand): Promise<void> {
  const question = "Still there?";
  desk.assign(CUSTOMER, AGENT);
  const delivery = await hand.step(
    { from: "customer", to: "desk", what: `${quote(question)}, and ${AGENT} takes the conversation` },
    async () => {
      const pushed = await wechat.sendText(CUSTOMER, question);
      requireEqual(desk.received(CUSTOMER).at(-1)?.text, question, "what the desk received last");
      return pushed;
    },
  );
  const notice = `${AGENT} is serving you!`;
  await hand.step(
    { from: "desk", to: "customer", what: `${quote(notice)} as passive reply` },
    async () => requirePassive(delivery, notice),
    () => duration(delivery),
  );
  await readStatus({ status: "chatting", turn: 0, agentName: AGENT }, id, operator, hand);
}

/** The agent is quick: while WeChat still waits for the answer to its callback, the reply comes and rides on it. */
async function answerWhileOpen(
  { wechat, desk }: Connected,
  openId: string,
  question: string,
  reply: string,
  hand: Stagehand,
): Promise<void> {
  const pushed = await hand.step({ from: "customer", to: "desk", what: `${quote(question)}, the callback stays open` }, async () => {
    const delivery = wechat.sendText(openId, question);
    await desk.waitForReceived(openId, ({ text }) => text === question);
    return { delivery };
  });
  await hand.step(
    { from: "agent", to: "customer", what: `${quote(reply)} as passive reply` },
    async () => {
      requireTaken(await desk.pushText(openId, reply, { messageId: `agent-${Date.now()}` }));
      const delivery = await pushed.delivery;
      requirePassive(delivery, reply);
      return delivery;
    },
    duration,
  );
}

/** Nothing is open any more, so the reply goes out as an asynchronous message. */
async function answerLater({ wechat, desk }: Connected, openId: string, reply: string, hand: Stagehand): Promise<void> {
  await hand.step({ from: "agent", to: "customer", what: `${quote(reply)} as asynchronous message` }, async () => {
    requireTaken(await desk.pushText(openId, reply, { as: "form", messageId: `agent-${Date.now()}` }));
    await readUntil(
      async () => wechat.seenBy(openId).at(-1),
      (seen) => requireEqual([seen?.way, seen?.text], ["async", reply], "what the customer saw last"),
    );
  });
}

async function swapPictures({ wechat, desk }: Connected, hand: Stagehand): Promise<void> {
  const pushed = await hand.step({ from: "customer", to: "desk", what: "a picture" }, async () => {
    const delivery = wechat.sendImage(CUSTOMER);
    await desk.waitForReceived(CUSTOMER, ({ type }) => type === "image");
    return { delivery };
  });
  await hand.step({ from: "agent", to: "customer", what: "a picture as passive reply" }, async () => {
    const picture = wechat.addMedia("image");
    requireTaken(await desk.pushImage(CUSTOMER, picture.id, { messageId: `agent-${Date.now()}` }));
    const { reply, problem } = await pushed.delivery;
    requireEqual([reply?.type, reply?.mediaId, problem], ["image", picture.id, null], "the callback's answer");
  });
}

async function readStatus(
  expected: { status: string; turn: number; agentName: string | null },
  accountId: string,
  operator: Operator,
  hand: Stagehand,
): Promise<void> {
  const { status, turn, agentName } = expected;
  const what = `status ${status}, turn ${turn}${agentName === null ? "" : `, agent ${agentName}`}`;
  await hand.step({ from: "gateway", to: "operator", what }, () =>
    readUntil(
      () => operator.readConversation(accountId, CUSTOMER),
      (is) => requireEqual({ status: is.status, turn: is.turn, agentName: is.agentName }, expected, "the conversation"),
    ),
  );
}

/** Everything that was said, as the API tells it afterwards. */
async function listMessages({ id }: Connected, openId: string, operator: Operator, hand: Stagehand): Promise<void> {
  const messages = await hand.step(
    { from: "gateway", to: "operator", what: "every message forwarded or sent" },
    async () => {
      const conversation = await operator.readConversation(id, openId);
      return readUntil(() => operator.readMessages(conversation.id), requireSettled);
    },
    ({ length }) => `${length} messages`,
  );
  for (const { direction, text, state, way } of messages) {
    const arrow = direction === "inbound" ? "→" : "←";
    hand.say(`      ${arrow} ${[state, way].filter(Boolean).join(", ").padEnd(14)} ${shorten(text)}`);
  }
}

function requireSettled(messages: Message[]): void {
  const open = messages.filter(({ direction, state }) => state !== (direction === "inbound" ? "forwarded" : "sent"));
  requireEqual(open, [], "messages that are neither forwarded nor sent");
}

function requirePassive({ reply, problem }: Delivery, text: string): void {
  requireEqual({ text: reply?.text ?? null, problem }, { text, problem: null }, "the callback's answer");
}

function requireTaken({ status, body, error }: { status: number | null; body: string; error?: string }): void {
  if (status !== 200) throw new Error(`the push was answered with ${status ?? error}: ${body}`);
}

function duration({ tries }: Delivery): string {
  return `callback answered after ${(tries.at(-1)?.durationMs ?? 0).toFixed(0)} ms`;
}

function quote(text: string): string {
  return `"${text}"`;
}

function shorten(text: string): string {
  const line = text.replaceAll("\n", " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
