import { setTimeout as sleep } from "node:timers/promises";
import type { DeskAnswer, ReceivedMessage } from "../../src/emulators/desk.ts";
import type { AccountKind } from "./account-kind.ts";
import type { PushedMessage, SentMessage } from "./books.ts";
import type { CustomerPlan, Plan, PlannedMessage, PlannedReply } from "./plan.ts";
import { readToken, toInboundText, toNoticeText } from "./tokens.ts";
import type { Side, World } from "./world.ts";

/** The customers and their agents, who do what the plan says and write down what they did. */
export interface Traffic {
  /** All customers write all their messages. `onSent` is told how many have been written, before each. */
  play(onSent: (count: number) => void): Promise<void>;
  /** The agents have nothing left to write. */
  agentsDone(): Promise<void>;
  /** One more message of this customer, which lets out what is held. */
  writeAgain(openId: string): Promise<void>;
  /** The next so many answers of this account's desk are not what they should be. */
  spoilAnswers(kind: AccountKind, times: number): void;
  sentBy(openId: string): SentMessage[];
  pushedTo(openId: string): PushedMessage[];
}

interface Person {
  index: number;
  plan: CustomerPlan;
  side: Side;
  sent: SentMessage[];
  pushed: PushedMessage[];
  notices: number;
  agent: Promise<void>;
}

/** A customer who reads that the account is out of service waits this long before writing again. WeChat's own tries come almost at once. */
const AFTER_FAILURE_MS = 3_000;
/** So many callbacks are open at once at most: who writes while the gateway is slow waits, instead of making it slower. */
const OPEN_MAX = 40;
const PUSH_AGAIN_MS = 300;
const PUSH_TRIES_MAX = 200;

export function createTraffic(plan: Plan, { sides }: Pick<World, "sides">): Traffic {
  const people = plan.customers.map((customer, index): Person => {
    return { index, plan: customer, side: sides[customer.kind], sent: [], pushed: [], notices: 0, agent: Promise.resolve() };
  });
  const byOpenId = new Map(people.map((person) => [person.plan.openId, person]));
  const wrongAnswers: Record<AccountKind, number> = { official_account: 0, wecom: 0 };
  const turns = createTurns(OPEN_MAX);
  let count = 0;

  const find = (openId: string): Person => {
    const person = byOpenId.get(openId);
    if (person === undefined) throw new Error(`nobody is called ${openId}`);
    return person;
  };

  /** The desk's answer; an agent who sees a message for the first time gets to work on it. */
  const answer = (message: ReceivedMessage): DeskAnswer => {
    const person = find(message.openId);
    const planned = person.plan.messages[(readToken(message.text ?? "")?.number ?? 0) - 1];
    if (!message.repeated) {
      for (const reply of planned?.replies ?? []) person.agent = person.agent.then(() => pushReply(person, reply));
    }
    const { kind } = person.plan;
    if (wrongAnswers[kind] > 0) return WRONG_ANSWERS[wrongAnswers[kind]-- % WRONG_ANSWERS.length] as unknown as DeskAnswer;
    return toAnswer(person, planned);
  };
  for (const { desk } of Object.values(sides)) desk.setAnswer("*", answer);

  return {
    play: async (onSent) => {
      const write = async (person: Person) => {
        await sleep(person.plan.startsAfterMs);
        for (const { text, pauseMs } of person.plan.messages) {
          await sleep(pauseMs);
          await turns.take();
          onSent(++count);
          const isTaken = await writeText(person, text).finally(turns.give);
          if (!isTaken) await sleep(AFTER_FAILURE_MS);
        }
      };
      await Promise.all(people.map(write));
    },
    agentsDone: async () => {
      await Promise.all(people.map(({ agent }) => agent));
    },
    writeAgain: async (openId) => {
      const person = find(openId);
      await writeText(person, toInboundText(person.index, person.sent.length + 1, "are you there?"));
    },
    spoilAnswers: (kind, times) => {
      wrongAnswers[kind] += times;
    },
    sentBy: (openId) => find(openId).sent,
    pushedTo: (openId) => find(openId).pushed,
  };
}

/** A refusal, and an answer that says nothing: Udesk publishes neither. */
const WRONG_ANSWERS = [{ success: false, msg: "busy" }, { nonsense: [1] }];

function toAnswer(person: Person, planned: PlannedMessage | undefined): DeskAnswer {
  const { status, turn, agentName } = planned?.answer ?? { status: "chatting", turn: 0, agentName: "Lily" };
  return { status, turn, agent_name: agentName, msg: toNoticeText(person.index, ++person.notices, turn) };
}

/** @returns whether WeChat was told that it was taken */
async function writeText({ index, plan, side, sent }: Person, text: string): Promise<boolean> {
  // Beyond 2^53, and each message's own.
  const msgId = 2n ** 62n + BigInt(index) * 1_000_000n + BigInt(sent.length);
  const from = Date.now();
  const { acknowledged, tries, reply, problem } = await side.account.sendText(plan.openId, text, { MsgId: msgId });
  sent.push({
    msgId: String(msgId),
    text,
    acknowledged,
    tries: tries.length,
    reply: reply?.text ?? null,
    problem: acknowledged ? problem : null,
    from,
    to: Date.now(),
  });
  return acknowledged;
}

/** First come, first served. */
function createTurns(free: number) {
  const waiting: (() => void)[] = [];
  let left = free;
  return {
    take: async () => {
      if (left === 0) await new Promise<void>((resolve) => waiting.push(resolve));
      else left--;
    },
    give: () => {
      const next = waiting.shift();
      if (next === undefined) left++;
      else next();
    },
  };
}

/** As a desk does it: the same message with the same id until it is taken. */
async function pushReply({ index, plan, side, pushed }: Person, { text, afterMs, as }: PlannedReply): Promise<void> {
  await sleep(afterMs);
  const message: PushedMessage = { text, acknowledgedAt: null, tries: 0 };
  pushed.push(message);
  const messageId = `push-${index}-${readToken(text)?.number}`;
  while (message.acknowledgedAt === null && message.tries < PUSH_TRIES_MAX) {
    if (message.tries++ > 0) await sleep(PUSH_AGAIN_MS);
    const { status } = await side.desk.pushText(plan.openId, text, { as, messageId });
    if (status === 200) message.acknowledgedAt = Date.now();
  }
}
