import { createHash } from "node:crypto";
import type { AccountKind } from "./account-kind.ts";
import { createDice, type Dice, numbers } from "./dice.ts";
import type { ChaosOptions } from "./options.ts";
import { type Fault, planClocks, planFaults } from "./plan-faults.ts";
import { toInboundText, toReplyText } from "./tokens.ts";

/** Everything that is going to happen, made from the seed alone: same options, same plan. */
export interface Plan {
  customers: CustomerPlan[];
  /** How far the clock of each replica is off at its first start. */
  clocksMs: number[];
  faults: Fault[];
  digest: string;
}

export interface CustomerPlan {
  openId: string;
  kind: AccountKind;
  startsAfterMs: number;
  messages: PlannedMessage[];
}

export interface PlannedMessage {
  text: string;
  /** How long the customer thinks before writing it. */
  pauseMs: number;
  answer: { status: "queueing" | "chatting"; turn: number; agentName: string };
  /** What the agent writes once this message is at the desk. */
  replies: PlannedReply[];
}

export interface PlannedReply {
  text: string;
  /** After the message came in, or after the reply before was acknowledged. */
  afterMs: number;
  as: "json" | "form" | "xml";
}

export function toPlan({ seed, messages, customers, replicas }: ChaosOptions): Plan {
  const dice = createDice(seed);
  const people = numbers(customers).map((index) => planCustomer(index, share(messages, customers, index), dice));
  const clocksMs = planClocks(replicas, dice);
  const faults = planFaults(messages, replicas, dice);
  const digest = createHash("sha256")
    .update(JSON.stringify([people, clocksMs, faults]))
    .digest("hex")
    .slice(0, 16);
  return { customers: people, clocksMs, faults, digest };
}

function planCustomer(index: number, count: number, dice: Dice): CustomerPlan {
  const kind = index % 3 === 2 ? "wecom" : "official_account";
  // Some talk with an agent who answers, some wait in the queue, some change over in the middle.
  const chatsFrom = dice.pick([0, 0, Math.floor(count / 2), count]);
  let replyNumber = 0;
  const planReply = (): PlannedReply => ({
    text: toReplyText(index, ++replyNumber, { isLong: dice.chance(0.02), filler: dice.pick(FILLERS) }),
    afterMs: dice.chance(0.5) ? dice.whole(0, 150) : dice.whole(150, 2_500),
    as: dice.pick(["json", "json", "form", "xml"]),
  });
  return {
    openId: kind === "wecom" ? `member${index}` : `oCustomer${index}`,
    kind,
    startsAfterMs: dice.whole(0, 3_000),
    messages: numbers(count).map((number) => {
      const isChatting = number >= chatsFrom;
      const turn = isChatting ? 0 : Math.max(1, 9 - Math.floor(number / 3));
      // Now and then more than the five that WeChat takes after one message: the rest is held.
      const replies = dice.chance(0.03) ? dice.whole(6, 8) : dice.pick(isChatting ? [0, 1, 1, 1, 2] : [0, 0, 0, 1]);
      return {
        text: toInboundText(index, number + 1, dice.pick(FILLERS)),
        pauseMs: dice.chance(0.3) ? 0 : dice.whole(50, 1_200),
        answer: { status: isChatting ? "chatting" : "queueing", turn, agentName: isChatting ? "Lily" : "" },
        replies: numbers(replies).map(planReply),
      };
    }),
  };
}

/** What codecs and databases have been known to change. Nothing that looks like HTML: the desk's HTML is turned into text. */
const FILLERS = ["", "在吗？", "  two  blanks ", "👩‍👩‍👧 ok", "007 +100 1e5", "100% & more", "'; --", "\\n \\u0041", "line\nbreak"];

function share(total: number, parts: number, index: number): number {
  return Math.floor(total / parts) + (index < total % parts ? 1 : 0);
}
