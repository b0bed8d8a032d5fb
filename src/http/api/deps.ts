import type { Connections } from "../../domain/connection.ts";
import type { AccountStore, ApiKeyStore, AuditStore, ConversationStore, OutboundStore, ReplayStore } from "../../domain/store.ts";
import type { HttpClient } from "../../lib/http-client.ts";

export interface ApiDeps {
  accounts: AccountStore;
  conversations: ConversationStore;
  outbound: OutboundStore;
  replays: ReplayStore;
  apiKeys: ApiKeyStore;
  audit: AuditStore;
  connections: Connections;
  /** Whether an error of one of the stores means that the database is away. */
  isDatabaseAway: (error: unknown) => boolean;
  /** Looks at the gateway from outside. */
  http: HttpClient;
  /** Says that a conversation has something to send. */
  deliver: (conversationId: string) => void;
  /** How many messages one text of an operator may make. */
  partsMax: number;
  /** Without trailing slash. Asked at each request: the port may be known only once the gateway listens. */
  publicUrl: () => string;
  now: () => Date;
}
