import type { ReceivedMessage } from "./desk-message.ts";

/** What the desk says of a conversation in answer to a message (udesk.md A). */
export interface DeskAnswer {
  status: string;
  /** Place in the queue; 0 when chatting. */
  turn: number;
  agent_name: string;
  /** A sentence meant for the customer; empty for none. */
  msg: string;
}

export type AnswerRule = DeskAnswer | ((message: ReceivedMessage) => DeskAnswer);

/** One rule per contact; "*" is for all who have none of their own. */
export interface AnswerPolicy {
  set(openId: string | "*", rule: AnswerRule): void;
  answer(message: ReceivedMessage): DeskAnswer;
}

/** Until told otherwise, everybody waits behind two others. */
const QUEUEING: DeskAnswer = { status: "queueing", turn: 2, agent_name: "", msg: "2 customers before you" };

export function createAnswerPolicy(): AnswerPolicy {
  const rules = new Map<string, AnswerRule>();
  return {
    set: (openId, rule) => {
      rules.set(openId, rule);
    },
    answer: (message) => {
      const rule = rules.get(message.openId) ?? rules.get("*") ?? QUEUEING;
      return typeof rule === "function" ? rule(message) : rule;
    },
  };
}

export function chattingWith(agentName: string): DeskAnswer {
  return { status: "chatting", turn: 0, agent_name: agentName, msg: `${agentName} is serving you!` };
}
