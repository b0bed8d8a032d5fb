import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { ConfigError } from "../domain/errors.ts";

/** A callback that came just before the stop is answered by then; what is still open is a client that trickles or says nothing. */
const CONNECTIONS_GRACE_MS = 5_000;
const IDLE_LOOK_MS = 50;

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
 * Answers what is open. Closing only ends the connections that are idle at that moment: one that a client keeps after its last
 * answer, as every proxy does, would be waited for until its keep-alive ends.
 */
export async function closeServer(server: FastifyInstance): Promise<void> {
  const idle = setInterval(() => server.server.closeIdleConnections(), IDLE_LOOK_MS);
  const cutOff = setTimeout(() => server.server.closeAllConnections(), CONNECTIONS_GRACE_MS);
  await server.close();
  clearInterval(idle);
  clearTimeout(cutOff);
}

function toAddress({ address, family, port }: AddressInfo): string {
  return family === "IPv6" ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}
