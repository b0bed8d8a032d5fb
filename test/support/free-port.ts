import { once } from "node:events";
import { createServer } from "node:net";

/** A port that nobody listens on now, for something that is to come back at the same address. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening TCP server has an address");
  server.close();
  await once(server, "close");
  return address.port;
}
