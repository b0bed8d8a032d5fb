import type { HttpClient } from "../../base/http-client.ts";
import type { Connections } from "../../domain/connection.ts";
import type { ToDatabaseFault } from "../../domain/database-fault.ts";
import type { AccountStore, ApiKeyStore, AuditStore, ConversationStore, OutboundStore, ReplayStore } from "../../domain/store.ts";

export interface ApiDeps {
  accounts: AccountStore;
  conversations: ConversationStore;
  outbound: OutboundStore;
  replays: ReplayStore;
  apiKeys: ApiKeyStore;
  audit: AuditStore;
  connections: Connections;
  toDatabaseFault: ToDatabaseFault;
  /** Looks at the gateway from outside. */
  http: HttpClient;
  /** Says that a conversation has something to send. */
  deliver: (conversation: { conversationId: string; accountId: string }) => void;
  /** How many messages one text of an operator may make. */
  partsMax: number;
  /** Without trailing slash. Asked at each request: the port may be known only once the gateway listens. */
  publicUrl: () => string;
  now: () => Date;
}
