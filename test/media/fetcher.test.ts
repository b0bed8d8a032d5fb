import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { createMediaFetcher, type MediaFetcher } from "../../src/media/fetcher.ts";
import type { ResolveAll } from "../../src/media/guarded-connect.ts";

const LOOPBACK = ["127.0.0.0/8", "::1/128"];
const BYTES_MAX = 1_000;
const { signal } = new AbortController();
const open: MediaFetcher[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((fetcher) => fetcher.close()));
});

function createFetcher(networks: string[], resolve?: ResolveAll): MediaFetcher {
  const fetcher = createMediaFetcher(networks, resolve);
  open.push(fetcher);
  return fetcher;
}

function fetchFrom(fetcher: MediaFetcher, url: string, timeoutMs = 5_000) {
  return fetcher.fetch({ url, bytesMax: BYTES_MAX, timeoutMs, signal });
}

/** A real server on loopback, and the paths that were asked for. */
async function startServer(listener: RequestListener): Promise<{ port: number; url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    listener(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening TCP server has an address");
  return { port: address.port, url: `http://127.0.0.1:${address.port}`, asked };
}

/** A name server that gives these answers one after the other, the last for ever. */
function answering(...answers: string[][]): { resolve: ResolveAll; asked: string[] } {
  const asked: string[] = [];
  const resolve: ResolveAll = (hostname, _options, done) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(hostname);
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  };
  return { resolve, asked };
}

test("a private address is refused without a connection, and the network's name in the settings lets it through", async () => {
  const server = await startServer((_request, response) => response.end("picture"));
  const refusal = await fetchFrom(createFetcher([]), `${server.url}/secret-path?token=t0ken`);
  expect(refusal).toEqual({ code: "MEDIA_ADDRESS_REFUSED", detail: expect.stringContaining("WXDESK_MEDIA_ALLOW_NETWORKS") });
  expect(JSON.stringify(refusal)).not.toMatch(/secret-path|t0ken/);
  expect(server.asked).toEqual([]);
  expect(await fetchFrom(createFetcher(LOOPBACK), server.url)).toMatchObject({ bytes: Buffer.from("picture") });
});

test.each([
  "http://127.1/",
  "http://0x7f000001/",
  "http://2130706433/",
  "http://0177.0.0.1/",
  "http://[::1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://169.254.169.254/latest/meta-data/",
  "http://localhost/",
])("%s is refused, however it is spelt", async (url) => {
  expect(await fetchFrom(createFetcher([]), url)).toMatchObject({ code: "MEDIA_ADDRESS_REFUSED" });
});

test.each(["ftp://example.com/a.png", "file:///etc/passwd", "https://user:password@example.com/", "javascript:alert(1)", "a.png", ""])(
  "%j is not called at all",
  async (url) => {
    expect(await fetchFrom(createFetcher(LOOPBACK), url)).toMatchObject({ code: "MEDIA_ADDRESS_REFUSED" });
  },
);

test("a name is refused when any of its addresses is private", async () => {
  const server = await startServer((_request, response) => response.end("picture"));
  const { resolve, asked } = answering(["93.184.215.14", "127.0.0.1"]);
  expect(await fetchFrom(createFetcher([], resolve), `http://media.example:${server.port}/`)).toMatchObject({
    code: "MEDIA_ADDRESS_REFUSED",
    detail: expect.stringContaining("127.0.0.1"),
  });
  expect(asked).toEqual(["media.example"]);
  expect(server.asked).toEqual([]);
});

test("a name that leads elsewhere the second time gains nothing: each connection is checked, and the address checked is the one connected to", async () => {
  const server = await startServer((request, response) => {
    if (request.url === "/first") response.writeHead(302, { location: "/second" }).end();
    else response.end("picture");
  });
  // The first answer is allowed, the second is not.
  const { resolve, asked } = answering(["127.0.0.1"], ["127.0.0.2"]);
  const fetcher = createFetcher(["127.0.0.1/32"], resolve);
  expect(await fetchFrom(fetcher, `http://media.example:${server.port}/first`)).toMatchObject({ code: "MEDIA_ADDRESS_REFUSED" });
  expect(asked).toEqual(["media.example", "media.example"]);
  expect(server.asked).toEqual(["/first"]);
});

test("a redirect is followed where it may lead, and refused where not", async () => {
  const targets: Record<string, string> = { "/relative": "/end", "/metadata": "http://169.254.169.254/", "/file": "file:///etc/passwd" };
  const server = await startServer((request, response) => {
    const location = targets[request.url ?? ""];
    if (location === undefined) response.end("picture");
    else response.writeHead(302, { location }).end("moved");
  });
  const fetcher = createFetcher(LOOPBACK);
  expect(await fetchFrom(fetcher, `${server.url}/metadata`)).toMatchObject({ code: "MEDIA_ADDRESS_REFUSED" });
  expect(await fetchFrom(fetcher, `${server.url}/file`)).toMatchObject({ code: "MEDIA_ADDRESS_REFUSED" });
  expect(await fetchFrom(fetcher, `${server.url}/relative`)).toMatchObject({ bytes: Buffer.from("picture") });
});

test("redirects without end are not followed without end", async () => {
  const server = await startServer((request, response) => response.writeHead(302, { location: `${request.url}x` }).end());
  expect(await fetchFrom(createFetcher(LOOPBACK), `${server.url}/`)).toMatchObject({ code: "MEDIA_MISSING" });
  expect(server.asked).toHaveLength(4);
});

test("a file that is too long is given up when it says so, or as soon as it is", async () => {
  const server = await startServer((request, response) => {
    if (request.url === "/announced") response.writeHead(200, { "content-length": "100000000" }).write("x");
    else {
      const more = () => {
        while (response.write("x".repeat(500)));
      };
      response.on("drain", more);
      more();
    }
  });
  const fetcher = createFetcher(LOOPBACK);
  expect(await fetchFrom(fetcher, `${server.url}/announced`)).toMatchObject({ code: "MEDIA_TOO_LARGE" });
  expect(await fetchFrom(fetcher, `${server.url}/endless`)).toMatchObject({ code: "MEDIA_TOO_LARGE" });
});

test("a compressed file is decompressed, up to the limit, and an archive stays one", async () => {
  const archive = gzipSync("a file in it");
  const server = await startServer((request, response) => {
    const body = request.url === "/bomb" ? gzipSync(Buffer.alloc(BYTES_MAX * 50)) : archive;
    const type = request.url === "/archive" ? "application/x-gzip" : "application/pdf";
    response.writeHead(200, { "content-encoding": "gzip", "content-type": type }).end(body);
  });
  const fetcher = createFetcher(LOOPBACK);
  expect(await fetchFrom(fetcher, `${server.url}/file`)).toMatchObject({ bytes: Buffer.from("a file in it") });
  expect(await fetchFrom(fetcher, `${server.url}/archive`)).toMatchObject({ bytes: archive });
  expect(await fetchFrom(fetcher, `${server.url}/bomb`)).toMatchObject({ code: "MEDIA_TOO_LARGE" });
});

test("a server that trickles its bytes is given up when the time is over", async () => {
  const server = await startServer((_request, response) => {
    response.writeHead(200).write("x");
  });
  expect(await fetchFrom(createFetcher(LOOPBACK), server.url, 200)).toMatchObject({
    code: "MEDIA_UNREACHABLE",
    detail: expect.stringContaining("TIMEOUT"),
  });
});

test.each([
  [404, "MEDIA_MISSING"],
  [403, "MEDIA_MISSING"],
  [204, "MEDIA_MISSING"],
  [429, "MEDIA_UNREACHABLE"],
  [500, "MEDIA_UNREACHABLE"],
  [503, "MEDIA_UNREACHABLE"],
])("HTTP %d is %s", async (status, code) => {
  const server = await startServer((_request, response) => response.writeHead(status).end());
  expect(await fetchFrom(createFetcher(LOOPBACK), server.url)).toMatchObject({ code });
});

test("a name that nobody knows, and a port where nobody listens, are worth another try", async () => {
  const { resolve } = answering([]);
  const unknown: ResolveAll = (_hostname, _options, done) => done(Object.assign(new Error("not found"), { code: "ENOTFOUND" }), []);
  expect(await fetchFrom(createFetcher([], unknown), "http://media.example/")).toMatchObject({ code: "MEDIA_UNREACHABLE" });
  expect(await fetchFrom(createFetcher(LOOPBACK, resolve), "http://127.0.0.1:9/")).toMatchObject({ code: "MEDIA_UNREACHABLE" });
});
