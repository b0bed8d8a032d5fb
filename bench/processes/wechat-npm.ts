import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { ACCOUNT } from "../lib/account.ts";
import { serve } from "../lib/serve.ts";

/** The npm package `wechat` as its documentation has it: one handler that has nothing to say. It expects a parsed query. */
type Middleware = (request: IncomingMessage & { query: unknown }, response: ServerResponse, next: (error?: Error) => void) => void;
type Handler = (request: IncomingMessage, response: ServerResponse & { reply(content: string): void }) => void;

const packageName: string = "wechat";
const { default: wechat } = (await import(packageName)) as { default: (config: unknown, handler: Handler) => Middleware };

const { token, appId, encodingAesKey } = ACCOUNT;
let read = 0;
const middleware = wechat({ token, appid: appId, encodingAESKey: encodingAesKey, checkSignature: true }, (_request, response) => {
  read++;
  response.reply("");
}) as Middleware;

const server = createServer((request, response) => {
  const query = Object.fromEntries(new URLSearchParams(request.url?.split("?")[1] ?? ""));
  middleware(Object.assign(request, { query }), response, (error) => response.writeHead(error ? 500 : 404).end());
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1");
await once(server, "listening");

serve({
  address: () => {
    const address = server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  },
  count: () => read,
});
