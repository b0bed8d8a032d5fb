export interface Finding {
  kind:
    | "lost" // acknowledged, and never arrived
    | "doubled" // said twice to the customer, or stored twice
    | "disordered"
    | "altered" // arrived with another id or another text
    | "invented" // nobody said it
    | "unexplained" // ended in a way that no fault of the plan accounts for
    | "stuck"; // work is left over
  openId: string;
  detail: string;
  /** The gateway's id of the message, where it has one. */
  messageId?: string;
}

export interface Verdict {
  findings: Finding[];
  figures: Figures;
}

export interface Figures {
  messages: number;
  acknowledged: number;
  pushes: number;
  pushesAcknowledged: number;
  notices: number;
  seenPassively: number;
  seenAsync: number;
  uncertain: number;
  /** Replies that ended unsent for a reason that the plan explains. */
  failed: number;
  /** Of both, how many with which code. */
  endings: Map<string, number>;
  repeatedAtDesk: number;
  /** Given with the answer to a callback that WeChat had just given up on. */
  intoTheVoid: number;
  /** A passive reply and the next asynchronous message that overtook each other between gateway and customer. */
  crossed: number;
  toDeskMsMax: number;
  toCustomerMsMax: number;
}

export function createFigures(): Figures {
  return {
    messages: 0,
    acknowledged: 0,
    pushes: 0,
    pushesAcknowledged: 0,
    notices: 0,
    seenPassively: 0,
    seenAsync: 0,
    uncertain: 0,
    failed: 0,
    endings: new Map(),
    repeatedAtDesk: 0,
    intoTheVoid: 0,
    crossed: 0,
    toDeskMsMax: 0,
    toCustomerMsMax: 0,
  };
}
