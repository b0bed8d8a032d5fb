import { once } from "node:events";
import { createServer, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import type { PushMedia } from "../src/emulators/desk.ts";
import { SAMPLES } from "../src/emulators/wechat-samples.ts";
import { eventually, type GatewayOptions, look, startGateway } from "./support/gateway.ts";

const LOOPBACK = { environment: { WXDESK_MEDIA_ALLOW_NETWORKS: "127.0.0.0/8" } } satisfies GatewayOptions;
const UPLOAD = "/cgi-bin/media/upload";
const PDF = { fileName: "price list.pdf", contentType: "application/pdf", bytes: Buffer.from("%PDF-1.7 …") };

interface ShownAttempts {
  attempts: { outcome: string; code: string | null; detail: string | null }[];
}

async function startConversation(kind: "official_account" | "wecom", options: GatewayOptions = LOOPBACK) {
  const gateway = await startGateway(options);
  const account = await gateway.connect(kind, { replies: { notices: "never" } });
  await account.wechat.sendText("oA", "hello");
  const messages = async () => (await look(gateway, account, "oA")).messages.filter(({ direction }) => direction === "outbound");
  const settled = (state: string) => eventually(`a reply is ${state}`, messages, (all) => all.some((message) => message.state === state));
  const attempts = async (id = "") => (await gateway.api<ShownAttempts>("GET", `/messages/${id}`)).body.attempts;
  const push = (media: PushMedia) => gateway.desk.pushMedia("oA", media);
  return { ...gateway, account, settled, attempts, push };
}

test.each([
  ["official_account", "image", SAMPLES.image],
  ["official_account", "voice", SAMPLES.voice],
  ["official_account", "video", SAMPLES.video],
  ["wecom", "image", SAMPLES.image],
  ["wecom", "voice", SAMPLES.voice],
  ["wecom", "file", PDF],
] as const)("in an %s an agent's %s at the desk's address reaches the customer as media of their own", async (kind, type, file) => {
  const { desk, wechat, push } = await startConversation(kind);
  expect(await push({ type, url: desk.addMedia(file) })).toMatchObject({ status: 200 });
  const seen = await wechat.waitForSeen("oA", ({ mediaId }) => mediaId !== undefined);
  expect(seen).toMatchObject([{ way: "async", type }]);
  expect(wechat.calls(UPLOAD)).toBe(1);
});

test("a file keeps its name, and to an Official Account's customer, who can get none, it is a link", async () => {
  const company = await startConversation("wecom");
  await company.push({ type: "file", url: company.desk.addMedia(PDF) });
  const [seen] = await company.wechat.waitForSeen("oA", 1);
  expect(company.wechat.mediaOf(seen?.mediaId ?? "")).toMatchObject({ fileName: "price list.pdf", bytes: PDF.bytes });

  const shop = await startConversation("official_account");
  const url = shop.desk.addMedia(PDF);
  await shop.push({ type: "file", url, title: "Prices" });
  expect(await shop.wechat.waitForSeen("oA", 1)).toMatchObject([{ type: "text", text: `[file] Prices ${url}` }]);
  expect(shop.wechat.calls(UPLOAD)).toBe(0);
});

test("a file at an address without a name is uploaded under its title, its header's name or its address, with the extension of what it is", async () => {
  const { wechat, push } = await startConversation("wecom");
  const headers: Record<string, OutgoingHttpHeaders> = {
    "/dl/123": { "content-disposition": "attachment; filename=invoice 7.pdf", "content-type": "application/octet-stream" },
    "/dl/124": { "content-type": "application/octet-stream" },
    "/dl/125": { "content-disposition": "attachment; filename*=GBK''%b7%a2%c6%b1", "content-encoding": "gzip" },
  };
  const url = await startServer((path, response) => {
    const own = headers[path];
    response.writeHead(own ? 200 : 404, own).end(own?.["content-encoding"] ? gzipSync(PDF.bytes) : PDF.bytes);
  });
  await push({ type: "file", url: `${url}/dl/123`, title: "发票" });
  await push({ type: "file", url: `${url}/dl/123` });
  await push({ type: "file", url: `${url}/dl/124` });
  await push({ type: "file", url: `${url}/dl/125` });
  const seen = await wechat.waitForSeen("oA", 4);
  expect(seen.map(({ mediaId }) => wechat.mediaOf(mediaId ?? ""))).toMatchObject(
    ["发票.pdf", "invoice 7.pdf", "124.pdf", "发票.pdf"].map((fileName) => ({
      fileName,
      contentType: "application/pdf",
      bytes: PDF.bytes,
    })),
  );
});

async function startServer(answer: (path: string, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => answer(request.url ?? "", response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("what the platform does not take goes out as a link, and the attempt says why", async () => {
  const { desk, wechat, push, settled, attempts } = await startConversation("official_account");
  const url = desk.addMedia({ ...PDF, contentType: "image/png" });
  await push({ type: "image", url });
  const [sent] = await settled("sent");
  expect(await wechat.waitForSeen("oA", 1)).toMatchObject([{ type: "text", text: `[image] ${url}` }]);
  expect(await attempts(sent?.id)).toEqual([
    expect.objectContaining({ outcome: "done", detail: expect.stringMatching(/sent as a link: MEDIA_TYPE_UNSUPPORTED: .*jpg, png, gif/) }),
  ]);
});

test("a file that is too large is not uploaded", async () => {
  const { desk, wechat, push } = await startConversation("official_account");
  const url = desk.addMedia({ ...SAMPLES.voice, bytes: Buffer.concat([SAMPLES.voice.bytes, Buffer.alloc(2 * 1024 * 1024)]) });
  await push({ type: "voice", url });
  expect(await wechat.waitForSeen("oA", 1)).toMatchObject([{ type: "text", text: `[voice] ${url}` }]);
  expect(wechat.calls(UPLOAD)).toBe(0);
});

test("a server that fails is asked again, and the picture then arrives once", async () => {
  const { desk, wechat, push, settled, attempts } = await startConversation("official_account");
  desk.misbehave({ kind: "status", status: 503, path: /uploads/, times: 2 });
  await push({ type: "image", url: desk.addMedia(SAMPLES.image) });
  const [sent] = await settled("sent");
  expect((await attempts(sent?.id)).map(({ outcome, code }) => code ?? outcome)).toEqual([
    "MEDIA_UNREACHABLE",
    "MEDIA_UNREACHABLE",
    "done",
  ]);
  expect((await wechat.waitForSeen("oA", 1)).map(({ type }) => type)).toEqual(["image"]);
});

test("a server that goes on failing holds nobody up for ever: the link goes out", async () => {
  const { desk, wechat, push } = await startConversation("official_account");
  desk.misbehave({ kind: "drop-before", path: /uploads/ });
  const url = desk.addMedia(SAMPLES.image);
  await push({ type: "image", url });
  await desk.pushText("oA", "and then?");
  expect((await wechat.waitForSeen("oA", 2)).map(({ text }) => text)).toEqual([`[image] ${url}`, "and then?"]);
  expect(desk.calls(/uploads/)).toBe(3);
});

test("a private address is refused: nothing is asked of it, the customer sees nothing, the operator reads what to set", async () => {
  const { desk, wechat, push, settled } = await startConversation("official_account", {});
  await push({ type: "image", url: desk.addMedia(SAMPLES.image) });
  await desk.pushText("oA", "did you get it?");
  expect((await wechat.waitForSeen("oA", 1)).map(({ text }) => text)).toEqual(["did you get it?"]);
  const [failed] = await settled("failed");
  expect(failed).toMatchObject({
    errorCode: "MEDIA_ADDRESS_REFUSED",
    error: expect.stringContaining("WXDESK_MEDIA_ALLOW_NETWORKS"),
    way: null,
  });
  expect(desk.calls(/uploads/)).toBe(0);
});

test("an upload that fails or whose answer is lost is tried again, never uncertain, and the customer sees the picture once", async () => {
  const { desk, wechat, push, settled, attempts } = await startConversation("official_account");
  wechat.misbehave({ kind: "errcode", errcode: -1, errmsg: "system error", path: UPLOAD, times: 1 });
  wechat.misbehave({ kind: "drop-after", path: UPLOAD, times: 1 });
  wechat.misbehave({ kind: "status", status: 502, path: UPLOAD, times: 1 });
  await push({ type: "image", url: desk.addMedia(SAMPLES.image) });
  const [sent] = await settled("sent");
  expect((await attempts(sent?.id)).map(({ outcome, code }) => code ?? outcome)).toEqual([
    "-1",
    "WECHAT_ANSWER_LOST",
    "WECHAT_HTTP_502",
    "done",
  ]);
  expect((await wechat.waitForSeen("oA", 1)).map(({ type }) => type)).toEqual(["image"]);
});

test("an upload the platform refuses goes out as a link with the platform's words", async () => {
  const { desk, wechat, push, settled, attempts } = await startConversation("official_account");
  wechat.misbehave({ kind: "errcode", errcode: 40009, errmsg: "invalid image size", path: UPLOAD });
  const url = desk.addMedia(SAMPLES.image);
  await push({ type: "image", url });
  const [sent] = await settled("sent");
  expect(await wechat.waitForSeen("oA", 1)).toMatchObject([{ text: `[image] ${url}` }]);
  expect(await attempts(sent?.id)).toMatchObject([{ outcome: "done", detail: expect.stringContaining("invalid image size") }]);
});

const SEND = /\/message\/(custom\/)?send$/;
const UNKNOWN_MEDIA = { kind: "errcode", errcode: 40007, errmsg: "invalid media_id", path: SEND } as const;

test.each(["official_account", "wecom"] as const)(
  "40007 on an id that the gateway has just uploaded: the %s's media are uploaded once more and arrive once",
  async (kind) => {
    const { desk, wechat, push, settled, attempts } = await startConversation(kind);
    wechat.misbehave({ ...UNKNOWN_MEDIA, times: 1 });
    await push({ type: "image", url: desk.addMedia(SAMPLES.image) });
    const [sent] = await settled("sent");
    expect((await attempts(sent?.id)).map(({ outcome, code }) => code ?? outcome)).toEqual(["40007", "done"]);
    expect((await wechat.waitForSeen("oA", 1)).map(({ type }) => type)).toEqual(["image"]);
    expect([wechat.calls(UPLOAD), wechat.calls(SEND)]).toEqual([2, 2]);
  },
);

test("40007 again after the second upload has failed, whatever went wrong in between, and the next reply goes out", async () => {
  const { desk, wechat, push, settled, attempts } = await startConversation("official_account");
  wechat.misbehave({ ...UNKNOWN_MEDIA, times: 1 });
  wechat.misbehave({ kind: "status", status: 503, path: SEND, times: 1 });
  const repair = wechat.misbehave(UNKNOWN_MEDIA);
  await push({ type: "image", url: desk.addMedia(SAMPLES.image) });
  const [failed] = await settled("failed");
  expect(failed).toMatchObject({ errorCode: "40007", error: expect.stringContaining("refused again after a second upload") });
  expect((await attempts(failed?.id)).map(({ outcome, code }) => [outcome, code])).toEqual([
    ["retry", "40007"],
    ["retry", "WECHAT_HTTP_503"],
    ["rejected", "40007"],
  ]);
  repair();
  await desk.pushText("oA", "did you get it?");
  expect((await wechat.waitForSeen("oA", 1)).map(({ text }) => text)).toEqual(["did you get it?"]);
});

test.each(["official_account", "wecom"] as const)("40007 on an id that the desk gave fails at once (%s)", async (kind) => {
  const { desk, wechat, settled } = await startConversation(kind);
  await desk.pushImage("oA", "an-id-of-the-desk");
  const [failed] = await settled("failed");
  expect(failed).toMatchObject({ errorCode: "40007", attempts: 1, error: expect.stringContaining("send the new id") });
  await desk.pushText("oA", "did you get it?");
  await wechat.waitForSeen("oA", 1);
  expect([wechat.calls(UPLOAD), wechat.calls(SEND)]).toEqual([0, 2]);
});

test("an account that may not send asynchronously gives the link on the open callback", async () => {
  const gateway = await startGateway(LOOPBACK);
  const account = await gateway.connect("official_account", { replies: { async: false, notices: "never" } });
  gateway.desk.assign("oA", "Lily");
  const url = gateway.desk.addMedia(SAMPLES.image);
  const delivery = account.wechat.sendText("oA", "hello");
  await gateway.desk.waitForReceived("oA", 1);
  await gateway.desk.pushMedia("oA", { type: "image", url });
  await delivery;
  expect(await gateway.wechat.waitForSeen("oA", 1)).toMatchObject([{ way: "passive", text: `[image] ${url}` }]);
});
