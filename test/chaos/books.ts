import type { Way } from "../../src/domain/message.ts";

/** Everything that both outsides wrote down, and what the gateway says of it. Moments are milliseconds since 1970. */
export interface Books {
  customers: CustomerBook[];
  /** How long the suite itself, in which both outsides live, stood still at most. */
  lagMsMax: number;
  /** When a fault of the plan could make WeChat's tries fail: the database was away. */
  troubles: Span[];
  /** The codes of the gateway under which a reply may end uncertain or unsent, and how many the plan's faults explain at most. */
  explained: ReadonlyMap<string, number>;
}

export interface Span {
  from: number;
  to: number;
}

export interface CustomerBook {
  openId: string;
  /** In the order in which the customer wrote; each was over before the next began. */
  sent: SentMessage[];
  /** In the order in which the agent wrote; the desk began none before the one ahead was acknowledged or given up. */
  pushed: PushedMessage[];
  /** As they arrived at the desk, repetitions included. */
  atDesk: { msgId: string; text: string; at: number }[];
  seen: SeenMessage[];
  /** What the API shows, oldest first. */
  stored: StoredMessage[];
  pending: { toDesk: number; toCustomer: number; held: number };
}

export interface SentMessage extends Span {
  msgId: string;
  text: string;
  acknowledged: boolean;
  tries: number;
  /** What the answer to the callback said. */
  reply: string | null;
  /** The answer was a 200 that WeChat cannot use. */
  problem: string | null;
}

export interface PushedMessage {
  text: string;
  acknowledgedAt: number | null;
  tries: number;
}

export interface SeenMessage {
  way: Way;
  /** `failure` is the platform's sentence that the account is out of service. */
  isFailure: boolean;
  text: string;
  at: number;
}

export interface StoredMessage {
  id: string;
  direction: "inbound" | "outbound";
  text: string;
  state: string;
  way: Way | null;
  errorCode: string | null;
  attempts: number;
  settledAt: number | null;
}
