import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { openPush } from "../../../src/desks/udesk-message-interface/push.ts";
import type { Account, DeskSettings } from "../../../src/domain/account.ts";
import type { Content } from "../../../src/domain/content.ts";
import type { Conversation } from "../../../src/domain/conversation.ts";
import type { OpenedPush, PushedReply, PushRequest } from "../../../src/domain/desk.ts";
import type { Message } from "../../../src/domain/message.ts";

/** The key of the published vectors (udesk.md A). */
export const KEY = "0123456789abcdef0123456789abcdef";

/** The only key that a sign may be made with. */
export const KEYS = [{ value: KEY, expiresAt: null }] as const;

/** 2015-11-24 14:14:51 in Beijing: the timestamp of the published vectors. */
export const VECTOR_TIME = new Date("2015-11-24T06:14:51.789Z");

export function makeAccount(desk: Partial<DeskSettings> = {}): Account {
  return {
    id: "shop",
    name: "Shop",
    enabled: true,
    version: 1,
    warnings: [],
    createdAt: VECTOR_TIME,
    updatedAt: VECTOR_TIME,
    secrets: {},
    kind: "official_account",
    wechat: { appId: "wx0123456789abcdef", encryption: "safe", apiBaseUrl: "https://api.weixin.qq.com", timestampToleranceSeconds: 600 },
    desk: {
      protocol: "udesk-message-interface",
      url: "https://example.udesk.cn/spa1/im_callback",
      timeoutMs: 4_000,
      identity: "empty",
      requireSign: false,
      types: {},
      ...desk,
    },
    replies: { async: true, notices: "changes", passiveWaitMs: 4_500 },
  };
}

export function makeConversation(contact: Partial<Conversation["contact"]> = {}): Conversation {
  return {
    id: "cv_1",
    accountId: "shop",
    openId: "oABC",
    status: "unknown",
    turn: null,
    agentName: null,
    notice: null,
    statusAt: null,
    contact: { nickname: null, number: null, email: null, ...contact },
    lastInboundAt: null,
    lastReplyAt: null,
    windowClosesAt: null,
    repliesRemaining: null,
    outageToldAt: null,
    addressedApp: null,
  };
}

export function makeMessage(content: Content, change: Partial<Message> = {}): Message {
  return {
    id: "ms_1",
    accountId: "shop",
    conversationId: "cv_1",
    direction: "inbound",
    origin: "contact",
    vendorMessageId: "6036938470986285058",
    dedupeKey: "key",
    type: content.type,
    text: "",
    content,
    state: "received",
    way: null,
    attempts: 0,
    repetitions: 0,
    error: null,
    errorCode: null,
    sentAt: new Date(1_405_994_593_999),
    createdAt: VECTOR_TIME,
    settledAt: null,
    ...change,
  };
}

export function push(body: string | Buffer, request: Partial<PushRequest> = {}, desk: Partial<DeskSettings> = {}): OpenedPush {
  return openPush(
    { query: {}, contentType: undefined, ...request, body: Buffer.from(body) },
    { account: makeAccount(desk), keys: KEYS, now: () => VECTOR_TIME },
  );
}

/** The one reply of a push. */
export function replyOf(body: string, request: Partial<PushRequest> = {}): PushedReply | undefined {
  const { replies } = push(body, request);
  expect(replies).toHaveLength(1);
  return replies[0];
}

export interface Received {
  method: string | undefined;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

export interface DeskAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

/** A desk on loopback that notes what it receives; `null` as an answer hangs up after the request was read. */
export async function startDesk(answer: DeskAnswer | null) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ method: request.method, url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString() });
    if (answer === null) request.socket.destroy();
    else response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/spa1/im_callback`,
    received,
    close: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}
