/** What the demo reads of a conversation (contract, "Status API"). */
export interface Conversation {
  id: string;
  status: string;
  turn: number | null;
  agentName: string | null;
}

export interface Message {
  direction: "inbound" | "outbound";
  type: string;
  text: string;
  state: string;
  way: string | null;
}

/** Somebody at the gateway's API with the admin key: everything the demo knows of the gateway's inside comes this way. */
export interface Operator {
  createAccount(account: Record<string, unknown>): Promise<{ callbackUrl: string; pushUrl: string }>;
  readConversation(accountId: string, openId: string): Promise<Conversation>;
  /** Oldest first. */
  readMessages(conversationId: string): Promise<Message[]>;
}

export function createOperator(address: string, adminKey: string): Operator {
  const call = async <Answer>(method: "GET" | "POST", path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${address}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${adminKey}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
    return JSON.parse(text);
  };
  return {
    createAccount: (account) => call("POST", "/accounts", account),
    readConversation: (accountId, openId) => call("GET", `/accounts/${accountId}/contacts/${openId}/conversation`),
    readMessages: async (conversationId) => {
      const { items } = await call<{ items: Message[] }>("GET", `/conversations/${conversationId}/messages`);
      return items.reverse();
    },
  };
}
