import type { MisbehaviourKind } from "../../src/emulators/misbehaviour.ts";
import type { AccountKind } from "./account-kind.ts";
import { type Dice, numbers } from "./dice.ts";

/** `at`: once this many messages have been sent, so that a slow machine meets the same faults in the same traffic. */
export type Fault = { at: number } & (
  | ({ kind: "kill" | "roll" } & Restart)
  /** The process stands still and keeps its connections. */
  | { kind: "freeze"; replica: number; standsMs: number }
  | { kind: "postgres"; mode: "immediate" | "fast"; downMs: number }
  | { kind: "expire-tokens" }
  | ({ kind: "spoil" } & Spoil)
);

export interface Restart {
  replica: number;
  downMs: number;
  /** How far the clock is off when the replica comes back. */
  clockMs: number;
}

/** A number of requests to one of the outsides that go wrong. */
export interface Spoil {
  target: "desk" | "send";
  account: AccountKind;
  times: number;
  how: MisbehaviourKind | { kind: "wrong-json" };
}

/** Beyond the worker's lease of 35 s and the second until another replica polls: its claims pass on while it holds them. */
const FREEZE_MS = 40_000;
const CLOCK_MS_MAX = 30_000;

/** The first two replicas are as far apart as may be; the database's clock is the right one, in between. */
export function planClocks(replicas: number, dice: Dice): number[] {
  return numbers(replicas).map((index) => [CLOCK_MS_MAX, -CLOCK_MS_MAX][index] ?? planClock(dice));
}

function planClock(dice: Dice): number {
  return dice.whole(-CLOCK_MS_MAX, CLOCK_MS_MAX);
}

export function planFaults(messages: number, replicas: number, dice: Dice): Fault[] {
  // For each 300 messages; the last tenth of the traffic is left to show that everything is back.
  const rounds = Math.max(1, Math.round(messages / 300));
  const at = () => dice.whole(Math.floor(messages * 0.02), Math.floor(messages * 0.9));
  const some = (count: number, make: (index: number) => Fault) => numbers(count).map(make);
  const restart = (downMsMin: number, downMsMax: number): Restart => ({
    replica: dice.whole(0, replicas - 1),
    downMs: dice.whole(downMsMin, downMsMax),
    clockMs: planClock(dice),
  });
  const freezes = Math.ceil(rounds / 6);
  // Spread out, because they last long and come one after the other.
  const freezeAt = (index: number) => Math.floor(messages * (0.05 + (0.7 * (index + dice.whole(0, 30) / 100)) / freezes));
  const faults = [
    ...some(rounds, () => ({ at: at(), kind: "kill", ...restart(200, 3_000) })),
    ...some(Math.ceil(rounds / 3), () => ({ at: at(), kind: "roll", ...restart(0, 500) })),
    ...some(freezes, (index) => ({ at: freezeAt(index), kind: "freeze", replica: dice.whole(0, replicas - 1), standsMs: FREEZE_MS })),
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
