import { Agent, request } from "undici";

export interface Exchange {
  method: "GET" | "POST";
  url: URL;
  contentType?: string;
  body?: string | Buffer;
  /** Ends it without an answer. */
  signal: AbortSignal;
}

/** How one request ended. Without an answer, `status` is null and `error` says why. */
export interface Exchanged {
  status: number | null;
  contentType: string;
  body: string;
  durationMs: number;
  error?: string;
}

export interface Caller {
  /** One request whose failure is a result. When the time is up the connection is closed, as WeChat does it. */
  exchange(request: Exchange): Promise<Exchanged>;
  close(): Promise<void>;
}

/** Any number of connections at once: the emulators must never be what a test waits for. */
export function createCaller(userAgent: string): Caller {
  const agent = new Agent();
  return { exchange: (given) => exchange(agent, userAgent, given), close: () => agent.destroy() };
}

async function exchange(agent: Agent, userAgent: string, { method, url, contentType, body, signal }: Exchange): Promise<Exchanged> {
  const startedAt = performance.now();
  const durationMs = () => performance.now() - startedAt;
  try {
    const answer = await request(url, {
      dispatcher: agent,
      method,
      headers: { "user-agent": userAgent, ...(contentType === undefined ? {} : { "content-type": contentType }) },
      body: body ?? null,
      signal,
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, contentType: String(answer.headers["content-type"] ?? ""), body: text, durationMs: durationMs() };
  } catch (error) {
    return { status: null, contentType: "", body: "", durationMs: durationMs(), error: String(error) };
  }
}
