import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

export interface LoadBalancer {
  url: string;
  /** How many requests this replica has not answered yet. */
  openAt(replica: string): number;
  close(): Promise<void>;
}

const CHECK_EVERY_MS = 500;
/** Together with the pause less than what is left of WeChat's 5 s for a callback that was under way when its replica stopped. */
const CHECK_TIMEOUT_MS = 1_000;

/**
 * A load balancer of the simplest kind: each request goes to the next replica, on connections that are kept, as with the settings in the
 * README. One that cannot be connected to is passed over, and one that does not answer its health check comes last, so that a caller who
 * has given up reaches another one. Once a request has been handed over, its fate is passed on: the caller sees the connection break,
 * and the replica sees the caller hang up.
 */
export async function startProxy(replicas: readonly string[]): Promise<LoadBalancer> {
  let next = 0;
  const silent = new Set<string>();
  const open = new Map<string, number>();
  const agent = new Agent({ keepAlive: true });
  const checks = replicas.map((replica) => repeatCheck(replica, silent));
  const server = createServer((incoming, outgoing) => {
    const turn = next++;
    const all = replicas.map((_, index) => replicas[(turn + index) % replicas.length] ?? "");
    const order = [...all.filter((replica) => !silent.has(replica)), ...all.filter((replica) => silent.has(replica))];
    void buffer(incoming).then(
      (body) => pass(incoming, body, outgoing, order, { agent, open }),
      () => outgoing.destroy(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening TCP server has an address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    openAt: (replica) => open.get(replica) ?? 0,
    close: async () => {
      for (const stop of checks) stop();
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

/** @returns how to end it */
function repeatCheck(replica: string, silent: Set<string>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const check = async () => {
    try {
      const response = await fetch(`${replica}/livez`, { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) });
      await response.body?.cancel();
      silent.delete(replica);
    } catch (error) {
      if (error instanceof Error && error.name === "TimeoutError") silent.add(replica);
    }
    if (!isOver) timer = setTimeout(check, CHECK_EVERY_MS);
  };
  void check();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

interface Passing {
  agent: Agent;
  /** How many requests each replica has not answered yet. */
  open: Map<string, number>;
}

function pass(
  incoming: IncomingMessage,
  body: Buffer,
  outgoing: ServerResponse,
  [replica, ...others]: string[],
  { agent, open }: Passing,
): void {
  if (replica === undefined) {
    outgoing.writeHead(502).end("no replica");
    return;
  }
  const { method, url = "/", headers } = incoming;
  const upstream = request(new URL(url, replica), { method, headers: { ...headers, connection: "keep-alive" }, agent });
  const count = (change: number) => open.set(replica, (open.get(replica) ?? 0) + change);
  count(1);
  upstream.once("close", () => count(-1));
  const hangUp = () => upstream.destroy();
  let isConnected = false;
  upstream.once("socket", (socket) => {
    if (upstream.reusedSocket) isConnected = true;
    else socket.once("connect", () => (isConnected = true));
  });
  upstream.once("response", (response) => {
    outgoing.writeHead(response.statusCode ?? 502, { ...response.headers, connection: "keep-alive" });
    response.pipe(outgoing);
    response.once("error", () => outgoing.destroy());
  });
  upstream.once("error", () => {
    outgoing.off("close", hangUp);
    if (isConnected || outgoing.destroyed) outgoing.destroy();
    else pass(incoming, body, outgoing, others, { agent, open });
  });
  outgoing.once("close", hangUp);
  upstream.end(body);
}
