import pg from "pg";
import { ConfigError } from "../../base/errors.ts";
import { POOLED } from "./sqlstates.ts";
import { toConnectProblem } from "./to-database-fault.ts";

/** Which session of the server each connection has. Behind a pooler in transaction or statement mode connections share and change them. */
export interface SessionWatch {
  /** @throws ConfigError DATABASE_POOLED when the connection's session is not its own */
  see(client: pg.ClientBase): Promise<void>;
  /** @throws ConfigError DATABASE_POOLED when one was not, a short time ago */
  confirm(): void;
}

/** A pid may be used again, but not from the same microsecond on. One simple statement: all that a pooler in statement mode takes. */
const IDENTITY = "SELECT concat(pg_backend_pid(), ' ', (SELECT backend_start FROM pg_stat_get_activity(pg_backend_pid()))) AS session";

const REMEMBERED_MS = 10_000;

export function createSessionWatch(): SessionWatch {
  const sessions = new Map<pg.ClientBase, string>();
  const owners = new Map<string, pg.ClientBase>();
  let sharedAtMs = Number.NEGATIVE_INFINITY;

  const forget = (client: pg.ClientBase) => {
    const session = sessions.get(client);
    sessions.delete(client);
    if (session !== undefined && owners.get(session) === client) owners.delete(session);
  };

  return {
    see: async (client) => {
      const { rows } = await client.query<{ session: string }>(IDENTITY);
      const session = rows[0]?.session ?? "";
      const [known, owner] = [sessions.get(client), owners.get(session)];
      if ((known ?? session) !== session || (owner ?? client) !== client) {
        sharedAtMs = performance.now();
        throw pooled();
      }
      if (known !== undefined) return;
      sessions.set(client, session);
      owners.set(session, client);
      client.once("end", () => forget(client));
    },
    confirm: () => {
      if (performance.now() - sharedAtMs < REMEMBERED_MS) throw pooled();
    },
  };
}

/** One more than a machine has pooler processes, each with sessions of its own, so that two connections meet in one of them. */
const CONNECTIONS = 6;
const TIMEOUT_MS = 3_000;

/**
 * Proves that each connection keeps its session. The server, and a pooler in session mode, give each connection one that stays. Other
 * poolers show themselves: an idle one hands out the session it got back last, so the second connection gets that of the first; one
 * that takes turns gives the first connection another session on its next query; a busy one has given the session away meanwhile.
 * @throws ConfigError DATABASE_POOLED, DATABASE_UNREACHABLE
 */
export async function proveSessions(url: string): Promise<void> {
  const watch = createSessionWatch();
  const clients: pg.Client[] = [];
  try {
    while (clients.length < CONNECTIONS) {
      const client = await connect(url);
      clients.push(client);
      for (const each of [client, ...clients]) await watch.see(each);
    }
  } catch (error) {
    // A pooler in session mode, or a server, may have fewer sessions left than this; what was seen until then counts.
    if (clients.length < 2 || (error instanceof ConfigError && error.code === "DATABASE_POOLED")) throw error;
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: TIMEOUT_MS, query_timeout: TIMEOUT_MS });
  // Without a listener, a connection that breaks between two statements would end the process; the next statement fails instead.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (cause) {
    throw toConnectProblem(`${client.host}:${client.port}`, cause);
  }
}

function pooled(): ConfigError {
  return new ConfigError("DATABASE_POOLED", `${POOLED.what}; ${POOLED.remedy}`);
}
