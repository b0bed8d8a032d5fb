import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

export interface PlatformRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** An object is answered as JSON with status 200; `drop` closes the connection; `hang` never answers. */
export type PlatformReply =
  | { json: unknown }
  | { status: number; headers?: Record<string, string>; body?: string | Buffer }
  | { kind: "drop" }
  | { kind: "hang" };

/** WeChat's interface on loopback, reduced to saying what the test wants to hear. */
export interface Platform {
  url: string;
  requests(path: string): PlatformRequest[];
  /** What is answered to `path` from now on. */
  on(path: string, reply: (request: PlatformRequest, count: number) => PlatformReply): void;
  close(): Promise<void>;
}

export async function startPlatform(): Promise<Platform> {
  const received: PlatformRequest[] = [];
  const replies = new Map<string, (request: PlatformRequest, count: number) => PlatformReply>();

  const server = createServer(async (incoming, response) => {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://platform");
    const body = (await buffer(incoming)).toString();
    const request = { method: incoming.method ?? "", path: pathname, query: searchParams, headers: incoming.headers, body };
    received.push(request);
    const count = received.filter(({ path }) => path === pathname).length;
    write(response, replies.get(pathname)?.(request, count) ?? { status: 404 });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening TCP server has an address");

  return {
    url: `http://127.0.0.1:${address.port}`,
    requests: (path) => received.filter((request) => request.path === path),
    on: (path, reply) => replies.set(path, reply),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function write(response: ServerResponse, reply: PlatformReply): void {
  if ("json" in reply) {
    // The platforms call their JSON text/plain.
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).end(JSON.stringify(reply.json));
  } else if ("status" in reply) {
    response.writeHead(reply.status, reply.headers).end(reply.body ?? "");
  } else if (reply.kind === "drop") {
    response.socket?.destroy();
  }
}
