import pg from "pg";

const RECONNECT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 3_000;

/** A session of its own, because LISTEN belongs to one, kept up for as long as nobody ends it. */
export async function listen(url: string, channel: string, hear: (payload: string | undefined) => void): Promise<() => Promise<void>> {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;

  const connect = async () => {
    const next = new pg.Client({ connectionString: url, keepAlive: true, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    client = next;
    next.on("error", () => {});
    next.on("end", () => {
      if (!isEnded) timer = setTimeout(() => void connect(), RECONNECT_MS);
    });
    next.on("notification", ({ payload }) => hear(payload));
    try {
      await next.connect();
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch {
      // "end" follows and plans the next try.
      await next.end().catch(() => {});
    }
  };

  await connect();
  return async () => {
    isEnded = true;
    clearTimeout(timer);
    await client?.end();
  };
}
