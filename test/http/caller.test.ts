import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { watchResponse } from "../../src/http/caller.ts";
import { callAndReset } from "../support/resetting-caller.ts";

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`) };
}

/** The calls in their order, until the response has closed. */
function watch(response: ServerResponse): Promise<string[]> {
  const calls: string[] = [];
  watchResponse(response, { sent: () => calls.push("sent"), lost: () => calls.push("lost") });
  return new Promise((resolve) => response.once("close", () => resolve(calls)));
}

test.each(["keep-alive", "close"])("a response that is read is sent (connection: %s)", async (connection) => {
  const calls = vi.fn();
  const { url } = await serve((_request, response) => {
    void watch(response).then(calls);
    response.end("hello");
  });
  expect(await (await fetch(url, { headers: { connection } })).text()).toBe("hello");
  await expect.poll(() => calls.mock.calls).toEqual([[["sent", "lost"]]]);
});

test("a response whose write fails, because the connection was reset and nothing has read that yet, is lost", async () => {
  const calls = vi.fn();
  let reset = () => {};
  const { url } = await serve((_request, response) => {
    void watch(response).then(calls);
    reset();
    response.end("hello");
  });
  const caller = callAndReset(url);
  reset = caller.reset;
  await caller.ended;
  await expect.poll(() => calls.mock.calls).toEqual([[["lost", "lost"]]]);
});

test("a response that the server drops with bytes still in it is lost", async () => {
  const calls = vi.fn();
  const { server, url } = await serve((_request, response) => {
    void watch(response).then(calls);
    // More than the operating system takes from a server whose client does not read.
    response.end(Buffer.alloc(64 * 1024 * 1024));
    setImmediate(() => server.closeAllConnections());
  });
  const client = connect(Number(url.port), url.hostname, () => client.pause().write("GET / HTTP/1.1\r\nhost: gateway\r\n\r\n"));
  client.on("error", () => {});
  await expect.poll(() => calls.mock.calls).toEqual([[["lost", "lost"]]]);
});
