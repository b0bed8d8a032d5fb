import { once } from "node:events";
import { connect as openSocket } from "node:net";

/** Writes a whole push into the gateway's socket and gives up at once, as a desk does whose time is over. */
export async function pushAndLeave(pushUrl: string, body: string): Promise<void> {
  const { hostname, port, pathname } = new URL(pushUrl);
  const socket = openSocket(Number(port), hostname);
  await once(socket, "connect");
  const head = `POST ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  await new Promise<void>((resolve) => socket.end(head + body, () => resolve()));
  socket.destroy();
}
