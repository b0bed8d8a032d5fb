import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { findSignProblem } from "../../src/emulators/desk-sign.ts";
import { ACCOUNT } from "../lib/account.ts";
import { findNumber } from "../lib/requests.ts";
import { serve } from "../lib/serve.ts";

/**
 * Desk and WeChat's interface on one address, with no more behind them than a count and the order: the emulators of src parse and
 * keep everything, which on a small machine would be most of what is measured.
 */
const counts = { submissions: 0, sends: 0, unsigned: 0, repeated: 0, disordered: 0 };
const seen = { submissions: new Map<string, number>(), sends: new Map<string, number>() };
let answerMs = 0;

const DESK_PATH = "/spa1/im_callback";
const ANSWER = JSON.stringify({ status: "queueing", turn: 2, agent_name: "", msg: "" });
const SENT = JSON.stringify({ errcode: 0, errmsg: "ok" });
const TOKEN = JSON.stringify({ access_token: "T".repeat(136), expires_in: 7200 });

const server = createServer((request, response) => {
  read(request)
    .then((body) => answer(request, body, response))
    .catch(() => response.destroy());
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1");
await once(server, "listening");

async function answer({ url = "/" }: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
  const path = url.slice(0, url.indexOf("?") >>> 0);
  if (path === DESK_PATH) {
    const query = new URLSearchParams(url.slice(url.indexOf("?") + 1));
    if (findSignProblem(ACCOUNT.deskKey, query, new Date()) !== null) counts.unsigned++;
    note("submissions", between(body, "<FromUserName><![CDATA[", "]]>"), findNumber(body));
    if (answerMs > 0) await sleep(answerMs);
    return give(response, ANSWER);
  }
  if (path === "/cgi-bin/message/custom/send") {
    note("sends", between(body, '"touser":"', '"'), findNumber(body));
    return give(response, SENT);
  }
  if (path === "/cgi-bin/stable_token") return give(response, TOKEN);
  response.writeHead(404).end();
}

/** Messages of one contact carry growing numbers. */
function note(kind: "submissions" | "sends", openId: string, number: number): void {
  counts[kind]++;
  const before = seen[kind].get(openId) ?? -1;
  if (number === before) counts.repeated++;
  else if (number < before) counts.disordered++;
  seen[kind].set(openId, number);
}

function between(text: string, before: string, after: string): string {
  const start = text.indexOf(before) + before.length;
  return text.slice(start, text.indexOf(after, start));
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

function give(response: ServerResponse, body: string): void {
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
}

serve({
  address: () => {
    const address = server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  },
  /** Begins to count anew; from now on the desk takes so long for each answer. */
  begin: (options: { answerMs: number }) => {
    answerMs = options.answerMs;
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] = 0;
    seen.submissions.clear();
    seen.sends.clear();
  },
  counts: () => counts,
});
