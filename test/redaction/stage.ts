import { once } from "node:events";
import { createServer } from "node:http";
import pg from "pg";
import type { Gateway } from "../support/gateway.ts";
import type { Marks } from "./marks.ts";

/** Everything that came out of the gateway, with the place where it did. */
export interface Seen {
  where: string;
  text: string;
}

/** A desk that answers what it is told to, and writes down every signature that it gets. */
export interface NosyDesk {
  url: string;
  /** What is answered from now on, given the query of the request. */
  answer: (query: string) => { status: number; body: string };
  requests: number;
  close(): void;
}

export async function startNosyDesk(marks: Marks): Promise<NosyDesk> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://desk");
    desk.requests += 1;
    marks.add("signature for the desk", url.searchParams.get("sign") ?? "no sign at all");
    const { status, body } = desk.answer(url.search);
    request.resume().on("end", () => response.writeHead(status, { "content-type": "application/json" }).end(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening TCP server has an address");
  const desk: NosyDesk = {
    url: `http://127.0.0.1:${address.port}/spa1/im_callback`,
    answer: () => ({ status: 200, body: '{"status":"chatting","turn":0,"agent_name":"Lily"}' }),
    requests: 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return desk;
}

export async function runSql({ database }: Pick<Gateway, "database">, sql: string): Promise<Record<string, unknown>[]> {
  const { address } = database;
  if (address.kind === "opened") return (await address.pglite.query<Record<string, unknown>>(sql)).rows;
  if (address.kind !== "server") throw new Error("the test's database is opened or on a server");
  const client = new pg.Client({ connectionString: address.url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Columns in which what people say belongs; secrets do not belong there either. */
const OF_PEOPLE = /^(messages\.(text|content|answer)|message_states\.(text|content)|conversations\.\w+|push_rejects\.body)$/;

/** Every stored value that is not bytes; bytes are the ciphertexts. */
export async function readColumns(gateway: Pick<Gateway, "database">): Promise<{ ofPeople: Seen[]; others: Seen[] }> {
  const columns = await runSql(
    gateway,
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type <> 'bytea'",
  );
  const [ofPeople, others]: [Seen[], Seen[]] = [[], []];
  for (const { table_name: table, column_name: column } of columns) {
    const where = `${table}.${column}`;
    const rows = await runSql(gateway, `SELECT "${column}"::text AS value FROM "${table}" WHERE "${column}" IS NOT NULL`);
    (OF_PEOPLE.test(where) ? ofPeople : others).push(...rows.map(({ value }) => ({ where, text: String(value) })));
  }
  return { ofPeople, others };
}
