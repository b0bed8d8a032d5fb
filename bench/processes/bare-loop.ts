import pg from "pg";
import { Agent, request } from "undici";
import { signQuery } from "../../src/emulators/desk-sign.ts";
import { ACCOUNT, toOpenId } from "../lib/account.ts";
import { toText } from "../lib/requests.ts";
import { serve } from "../lib/serve.ts";

export interface LoopLoad {
  url: string;
  outside: string;
  kind: "forward" | "push";
  count: number;
  contacts: number;
  concurrency: number;
}

serve({ run });

/**
 * The limit of relaying: one signed request per message and one batched write of what came of it, nothing else. Nothing is received,
 * stored beforehand, claimed or kept in order.
 */
async function run({ url, outside, kind, count, contacts, concurrency }: LoopLoad): Promise<{ seconds: number }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    "CREATE TABLE IF NOT EXISTS relayed (number bigint PRIMARY KEY, status int NOT NULL, at timestamptz NOT NULL DEFAULT now())",
  );
  await client.query("TRUNCATE relayed");
  const agent = new Agent({ connections: concurrency, pipelining: 1 });
  const write = createWriter(client);
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < count) {
        const number = next++;
        await write(number, await (kind === "forward" ? submit(agent, outside, number, contacts) : send(agent, outside, number, contacts)));
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const { rows } = await client.query<{ count: string }>("SELECT count(*) FROM relayed");
  if (Number(rows[0]?.count) !== count) throw new Error(`${rows[0]?.count} of ${count} written`);
  await client.end();
  await agent.close();
  return { seconds };
}

async function submit(agent: Agent, outside: string, number: number, contacts: number): Promise<number> {
  const query = new URLSearchParams(signQuery(ACCOUNT.deskKey, new Date()));
  const body =
    `<xml><FromUserName><![CDATA[${toOpenId(number % contacts)}]]></FromUserName><Number></Number><Email></Email>` +
    `<CreateTime>${Math.floor(Date.now() / 1_000)}</CreateTime><MsgType><![CDATA[text]]></MsgType><MsgId>${number}</MsgId>` +
    `<Content><![CDATA[${toText(number)}]]></Content></xml>`;
  return post(agent, `${outside}/spa1/im_callback?${query}`, "text/xml; charset=utf-8", body);
}

async function send(agent: Agent, outside: string, number: number, contacts: number): Promise<number> {
  const body = JSON.stringify({ touser: toOpenId(number % contacts), msgtype: "text", text: { content: toText(number) } });
  return post(agent, `${outside}/cgi-bin/message/custom/send?access_token=${"T".repeat(136)}`, "application/json", body);
}

async function post(dispatcher: Agent, url: string, contentType: string, body: string): Promise<number> {
  const response = await request(url, { dispatcher, method: "POST", headers: { "content-type": contentType }, body });
  await response.body.json();
  return response.statusCode;
}

/** What came while the last statement was under way goes into the next one. */
function createWriter(client: pg.Client): (number: number, status: number) => Promise<void> {
  let waiting: { number: number; status: number; done: () => void }[] = [];
  let isWriting = false;
  return (number, status) =>
    new Promise((done, reject) => {
      waiting.push({ number, status, done });
      if (!isWriting) writeAll().catch(reject);
    });

  async function writeAll(): Promise<void> {
    isWriting = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const values = [batch.map((each) => each.number), batch.map((each) => each.status)];
      await client.query({
        name: "write",
        text: "INSERT INTO relayed (number, status) SELECT * FROM unnest($1::bigint[], $2::int[])",
        values,
      });
      for (const each of batch) each.done();
    }
    isWriting = false;
  }
}
