/** What the desk last said of a conversation. `unknown` is also every answer that could not be understood. */
export type DeskStatus = "queueing" | "chatting" | "offline" | "unknown";

/** Whether an agent may answer soon: one is there, or the desk did not say. A queue or a closed desk will not. */
export function mayBeAnswered(status: DeskStatus): boolean {
  return status === "chatting" || status === "unknown";
}

/** The part of an answer or a push that describes the conversation. complete-report.ts defines the meaning of absent fields. */
export interface StatusReport {
  status?: DeskStatus;
  /** Place in the queue; 0 when chatting. */
  turn?: number | null;
  agentName?: string | null;
  /** A sentence the desk means for the customer. */
  notice?: string | null;
}

export interface Contact {
  nickname: string | null;
  number: string | null;
  email: string | null;
}

export interface Conversation {
  id: string;
  accountId: string;
  openId: string;
  status: DeskStatus;
  turn: number | null;
  agentName: string | null;
  notice: string | null;
  /** When the desk was asked or told us, by the database's clock; an answer to an earlier question changes nothing. */
  statusAt: Date | null;
  contact: Contact;
  lastInboundAt: Date | null;
  lastReplyAt: Date | null;
  /** Until when the platform takes asynchronous messages; null when it sets no window. */
  windowClosesAt: Date | null;
  /** How many asynchronous messages the platform still takes; null when it does not count. */
  repliesRemaining: number | null;
  /** When the contact was told that the desk is away; null once the desk has taken a message again. */
  outageToldAt: Date | null;
  /** The WeCom app that the contact last wrote to, by its AgentID; null where none was named. */
  addressedApp: string | null;
}

/** A conversation with the counts that the status API shows. */
export interface ConversationOverview extends Conversation {
  passiveOpen: boolean;
  pending: {
    toDesk: number;
    toCustomer: number;
    held: number;
    /** Final: the gateway does not retry these; an operator can send them again. */
    dead: number;
    failed: number;
    uncertain: number;
  };
}
