import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

export interface LoadBalancer {
  url: string;
  close(): Promise<void>;
}

/**
 * A load balancer of the simplest kind: each request goes to the next replica. One that cannot be connected to is passed over; once
 * a request has been handed over, its fate is passed on: whoever called sees the connection break, and whoever works on it sees the
 * caller hang up.
 */
export async function startProxy(replicas: readonly string[]): Promise<LoadBalancer> {
  let next = 0;
  const server = createServer((incoming, outgoing) => {
    const turn = next++;
    const order = replicas.map((_, index) => replicas[(turn + index) % replicas.length] ?? "");
    void buffer(incoming).then(
      (body) => pass(incoming, body, outgoing, order),
      () => outgoing.destroy(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening TCP server has an address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function pass(incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse, [replica, ...others]: string[]): void {
  if (replica === undefined) {
    outgoing.writeHead(502).end("no replica");
    return;
  }
  const { method, url = "/", headers } = incoming;
  const upstream = request(new URL(url, replica), { method, headers: { ...headers, connection: "close" }, agent: false });
  const hangUp = () => upstream.destroy();
  let isConnected = false;
  upstream.once("socket", (socket) => socket.once("connect", () => (isConnected = true)));
  upstream.once("response", (response) => {
    outgoing.writeHead(response.statusCode ?? 502, { ...response.headers, connection: "keep-alive" });
    response.pipe(outgoing);
    response.once("error", () => outgoing.destroy());
  });
  upstream.once("error", () => {
    outgoing.off("close", hangUp);
    if (isConnected || outgoing.destroyed) outgoing.destroy();
    else pass(incoming, body, outgoing, others);
  });
  outgoing.once("close", hangUp);
  upstream.end(body);
}
