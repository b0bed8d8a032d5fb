import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { json, type LoopbackAnswer } from "./loopback-answer.ts";
import { createMisbehaviours, type Misbehaviour } from "./misbehaviour.ts";

export interface LoopbackRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** An HTTP server on 127.0.0.1 that can be told to misbehave. */
export interface Loopback {
  url: string;
  /** Spoils the requests that the rule matches, oldest rule first. Returns a function that takes the rule away. */
  misbehave(rule: Misbehaviour): () => void;
  /** How many requests arrived, spoilt ones included. */
  calls(path?: string | RegExp): number;
  close(): Promise<void>;
}

/** @param now the clock of whoever is played, for the Date of every answer */
export async function startLoopback(
  handle: (request: LoopbackRequest) => Promise<LoopbackAnswer>,
  now: () => Date = () => new Date(),
): Promise<Loopback> {
  const misbehaviours = createMisbehaviours();
  const paths: string[] = [];
  const pauses = new Set<NodeJS.Timeout>();

  const write = (response: ServerResponse, { status, headers, body }: LoopbackAnswer) => {
    const own = { date: now().toUTCString(), "content-length": Buffer.byteLength(body) };
    response.writeHead(status, { ...own, ...headers }).end(body);
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://loopback");
    paths.push(pathname);
    const rule = misbehaviours.take(pathname);
    if (rule?.kind === "drop-before") return request.socket.destroy();
    const body = await buffer(request);
    if (rule?.kind === "status") return write(response, { status: rule.status, headers: rule.headers ?? {}, body: "" });
    if (rule?.kind === "errcode") return write(response, json({ errcode: rule.errcode, errmsg: rule.errmsg }));

    const { method = "GET", headers } = request;
    const answer = await handle({ method, path: pathname, query: searchParams, headers, body });
    if (rule?.kind === "drop-after") return request.socket.destroy();
    if (rule?.kind === "rewrite") return write(response, rule.rewrite(answer));
    if (rule?.kind === "held") await rule.until;
    if (rule?.kind !== "late") return write(response, answer);
    const pause = setTimeout(() => {
      pauses.delete(pause);
      write(response, answer);
    }, rule.ms);
    pauses.add(pause);
  };

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // A caller that hung up needs no answer. Anything else is a mistake in an emulator and has to be seen.
      if (!response.socket?.destroyed) write(response, { status: 500, headers: {}, body: String(error) });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening TCP server has an address");

  return {
    url: `http://127.0.0.1:${address.port}`,
    misbehave: misbehaviours.add,
    calls: (path) =>
      paths.filter((called) => path === undefined || (typeof path === "string" ? called === path : path.test(called))).length,
    close: () =>
      new Promise((resolve) => {
        for (const pause of pauses) clearTimeout(pause);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
