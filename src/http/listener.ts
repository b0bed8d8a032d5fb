import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { ConfigError } from "../base/errors.ts";

/** A callback that came just before the stop is answered by then; what is still open is a client that trickles or says nothing. */
const CONNECTIONS_GRACE_MS = 5_000;
const POLL_MS = 50;

/**
 * @returns `http://host:port`
 * @throws ConfigError LISTENER_UNAVAILABLE
 */
export async function listen(server: FastifyInstance, { host, port }: { host: string; port: number }): Promise<string> {
  try {
    await server.listen({ host, port });
    return toAddress(server.server.address() as AddressInfo);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : cause;
    const remedy = "stop what uses it, or choose another WXDESK_HOST or WXDESK_PORT";
    throw new ConfigError("LISTENER_UNAVAILABLE", `cannot listen on ${host}:${port} (${code}); ${remedy}`, { cause });
  }
}

/**
 * Answers what is open, and meanwhile what still comes, so that `/readyz` can tell whoever sends traffic to send it elsewhere: for
 * `noticeMs` at least. Then it takes no more. Closing only ends the connections that are idle at that moment: one that a client
 * keeps after its last answer, as every proxy does, would be waited for until its keep-alive ends.
 */
export async function closeServer(server: FastifyInstance, openRequests: () => number, noticeMs: number): Promise<void> {
  const startedAtMs = performance.now();
  const elapsedMs = () => performance.now() - startedAtMs;
  while (elapsedMs() < noticeMs || (openRequests() > 0 && elapsedMs() < CONNECTIONS_GRACE_MS - POLL_MS)) await sleep(POLL_MS);
  const idle = setInterval(() => server.server.closeIdleConnections(), POLL_MS);
  const cutOff = setTimeout(() => server.server.closeAllConnections(), CONNECTIONS_GRACE_MS - elapsedMs());
  await server.close();
  clearInterval(idle);
  clearTimeout(cutOff);
}

/** How many requests are under way, from now on. */
export function countRequests({ server }: FastifyInstance): () => number {
  let open = 0;
  server.on("request", (_request, response) => {
    open++;
    response.once("close", () => open--);
  });
  return () => open;
}

/** The address that `listen` will give, unless the port is 0. */
export function toPlannedAddress({ host, port }: { host: string; port: number }): string {
  return host.includes(":") ? `http://[${host}]:${port}` : `http://${host}:${port}`;
}

/** How this machine itself reaches what listens on all its addresses. */
export function toLoopback(address: string): string {
  return address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}

function toAddress({ address, port }: AddressInfo): string {
  return toPlannedAddress({ host: address, port });
}
