import { createHash } from "node:crypto";
import type { MisbehaviourKind } from "../../src/emulators/misbehaviour.ts";
import { createRandom } from "../support/random.ts";
import type { ChaosOptions } from "./options.ts";
import { toInboundText, toReplyText } from "./tokens.ts";

/** Everything that is going to happen, made from the seed alone: same options, same plan. */
export interface Plan {
  customers: CustomerPlan[];
  faults: Fault[];
  digest: string;
}

export type AccountKind = "official_account" | "wecom";

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

/** `at`: once this many messages have been sent, so that a slow machine meets the same faults in the same traffic. */
export type Fault = { at: number } & (
  | { kind: "kill" | "roll"; replica: number; downMs: number }
  | { kind: "postgres"; mode: "immediate" | "fast"; downMs: number }
  | { kind: "expire-tokens" }
  | ({ kind: "spoil" } & Spoil)
);

/** A number of requests to one of the outsides that go wrong. */
export interface Spoil {
  target: "desk" | "send";
  account: AccountKind;
  times: number;
  how: MisbehaviourKind | { kind: "wrong-json" };
}

export function toPlan({ seed, messages, customers, replicas }: ChaosOptions): Plan {
  const dice = createDice(seed);
  const people = numbers(customers).map((index) => planCustomer(index, share(messages, customers, index), dice));
  const faults = planFaults(messages, replicas, dice);
  const digest = createHash("sha256")
    .update(JSON.stringify([people, faults]))
    .digest("hex")
    .slice(0, 16);
  return { customers: people, faults, digest };
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

function planFaults(messages: number, replicas: number, dice: Dice): Fault[] {
  // For each 300 messages; the last tenth of the traffic is left to show that everything is back.
  const rounds = Math.max(1, Math.round(messages / 300));
  const at = () => dice.whole(Math.floor(messages * 0.02), Math.floor(messages * 0.9));
  const some = (count: number, make: (index: number) => Fault) => numbers(count).map(make);
  const replica = () => dice.whole(0, replicas - 1);
  const faults = [
    ...some(rounds, () => ({ at: at(), kind: "kill", replica: replica(), downMs: dice.whole(200, 3_000) })),
    ...some(Math.ceil(rounds / 3), () => ({ at: at(), kind: "roll", replica: replica(), downMs: dice.whole(0, 500) })),
    ...some(Math.max(2, Math.ceil(rounds / 3)), (index) => ({
      at: at(),
      kind: "postgres",
      mode: index % 2 === 0 ? "immediate" : "fast",
      downMs: dice.whole(0, 1_500),
    })),
    ...some(Math.ceil(rounds / 2), () => ({ at: at(), kind: "expire-tokens" })),
    ...some(rounds, () => ({ at: at(), kind: "spoil", ...planSpoil("desk", DESK_FAULTS, dice) })),
    ...some(rounds * 2, () => ({ at: at(), kind: "spoil", ...planSpoil("send", SEND_FAULTS, dice) })),
    // A minute's pause for its customer: once is enough, and early.
    { at: Math.floor(messages * 0.1), kind: "spoil", target: "send", account: "wecom", times: 1, how: toError(45009) },
  ] satisfies Fault[];
  return faults.sort((a, b) => a.at - b.at);
}

function planSpoil(target: Spoil["target"], hows: ((dice: Dice) => Spoil["how"])[], dice: Dice): Spoil {
  const how = dice.pick(hows)(dice);
  return { target, account: dice.pick(["official_account", "official_account", "wecom"]), times: dice.whole(1, 6), how };
}

/** Past the desk's own 1.5 s limit, and within it. */
const DESK_FAULTS: ((dice: Dice) => Spoil["how"])[] = [
  (dice) => ({ kind: "late", ms: dice.whole(100, 1_200) }),
  (dice) => ({ kind: "late", ms: dice.whole(2_000, 4_000) }),
  (dice) => ({ kind: "status", status: dice.pick([500, 502, 503, 504, 429]) }),
  () => ({ kind: "status", status: 503, headers: { "retry-after": "2" } }),
  () => ({ kind: "drop-before" }),
  () => ({ kind: "drop-after" }),
  () => ({ kind: "wrong-json" }),
];

const SEND_FAULTS: ((dice: Dice) => Spoil["how"])[] = [
  (dice) => ({ kind: "late", ms: dice.whole(100, 3_000) }),
  () => ({ kind: "late", ms: 11_000 }),
  (dice) => ({ kind: "status", status: dice.pick([500, 503]) }),
  (dice) => ({ kind: "status", status: dice.pick([502, 504]) }),
  () => ({ kind: "drop-before" }),
  () => ({ kind: "drop-after" }),
  () => toError(-1),
  () => toError(45033),
];

function toError(errcode: number): MisbehaviourKind {
  return { kind: "errcode", errcode, errmsg: "by plan" };
}

interface Dice {
  whole(min: number, max: number): number;
  chance(share: number): boolean;
  pick<T>(from: readonly T[]): T;
}

function createDice(seed: number): Dice {
  const random = createRandom(seed);
  const whole = (min: number, max: number) => min + Math.floor(random() * (max - min + 1));
  return {
    whole,
    chance: (share) => random() < share,
    pick: <T>(from: readonly T[]): T => {
      const picked = from[whole(0, from.length - 1)];
      if (picked === undefined) throw new Error("there is nothing to pick from");
      return picked;
    },
  };
}

function share(total: number, parts: number, index: number): number {
  return Math.floor(total / parts) + (index < total % parts ? 1 : 0);
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
