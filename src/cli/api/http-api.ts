import { createHttpClient } from "../../base/http-client.ts";
import type { Api } from "./api.ts";

/** Longer than the longest check of an account. */
const TIMEOUT_MS = 30_000;
const PROBE_TIMEOUT_MS = 2_000;

/** The API of a gateway that runs; `address` without `/api/v1`. */
export function createHttpApi({ address, key }: { address: string; key: string }): Api {
  const http = createHttpClient();
  return {
    isRunning: true,
    request: async (method, path, body) => {
      const answer = await http.exchange({
        method,
        url: `${address}/api/v1${path}`,
        headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { "content-type": "application/json" }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        timeoutMs: TIMEOUT_MS,
        bytesMax: 16 * 1024 * 1024,
      });
      return { status: answer.status, body: answer.body.toString("utf8") };
    },
    close: () => http.close(),
  };
}

/** Whether a gateway of ours answers there. */
export async function isAnswering(address: string): Promise<boolean> {
  const http = createHttpClient();
  try {
    return (await http.exchange({ method: "GET", url: `${address}/livez`, timeoutMs: PROBE_TIMEOUT_MS })).status === 200;
  } catch {
    return false;
  } finally {
    await http.close();
  }
}
