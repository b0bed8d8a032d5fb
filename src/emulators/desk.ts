import { type Book, createBook, type Wanted } from "./book.ts";
import { type AnswerPolicy, type AnswerRule, chattingWith, createAnswerPolicy } from "./desk-answer.ts";
import { type ReceivedMessage, readMessage } from "./desk-message.ts";
import { type PushBody, type PushMedia, type PushOptions, type PushResult, renderPush } from "./desk-push.ts";
import { findSignProblem, signQuery } from "./desk-sign.ts";
import { createCaller } from "./exchange.ts";
import { type LoopbackRequest, startLoopback } from "./loopback.ts";
import { json, type LoopbackAnswer } from "./loopback-answer.ts";
import type { Misbehaviour } from "./misbehaviour.ts";

export type { AnswerRule, DeskAnswer } from "./desk-answer.ts";
export type { ReceivedMessage } from "./desk-message.ts";
export type { PushForm, PushMedia, PushOptions, PushResult } from "./desk-push.ts";

export interface DeskOptions {
  /** The KEY beside the push server address; an account's `desk.key`. */
  key: string;
  now?: () => Date;
  /** How long an answer to a push may take. */
  pushTimeoutMs?: number;
}

/** Udesk's message interface (udesk.md A) with its agents, on one loopback address. */
export interface DeskEmulator {
  /** The value for an account's `desk.url`. Another number, `/spa2/…`, is answered too: a tenant of its own on the same host. */
  url: string;
  /** What the desk answers to a contact's messages from now on; "*" for all without a rule of their own. */
  setAnswer(openId: string | "*", rule: AnswerRule): void;
  /** An agent takes the contact: from the next message on the desk says `chatting`. */
  assign(openId: string, agentName: string): void;

  /** Where pushes go: the account's `pushUrl`. */
  connectPush(pushUrl: string): void;
  /** An agent writes. A refusal is a result; nothing is thrown. */
  pushText(openId: string, text: string, options?: PushOptions): Promise<PushResult>;
  pushImage(openId: string, mediaId: string, options?: PushOptions): Promise<PushResult>;
  pushMedia(openId: string, media: PushMedia, options?: PushOptions): Promise<PushResult>;
  /** What an agent uploads to the desk. Returns the address at which the desk has it then. */
  addMedia(media: DeskMedia): string;
  /** Any bytes with any query, unsigned unless the query says so. */
  pushRaw(push: PushBody & { query?: Record<string, string> }): Promise<PushResult>;

  /** What came from the contact, oldest first, repetitions included. */
  received(openId: string): ReceivedMessage[];
  /** Waits until that many messages came from the contact, or one that the predicate likes. */
  waitForReceived(openId: string, wanted: Wanted<ReceivedMessage>, timeoutMs?: number): Promise<ReceivedMessage[]>;
  /** How many requests arrived, spoilt ones included. */
  calls(path?: string | RegExp): number;
  /** Spoils requests. Returns a function that takes the rule away. */
  misbehave(rule: Misbehaviour): () => void;
  close(): Promise<void>;
}

/** A file on the desk's own server. */
export interface DeskMedia {
  fileName: string;
  contentType: string;
  bytes: Buffer;
}

const MEDIA_PATH = "/uploads/";
const CALLBACK_PATH = "/spa1/im_callback";
const ROUTE = /^(POST \/spa\d+\/im_callback|GET \/spa\d+\/im_callback\/test)$/;
/** Only ends what hangs: on a machine that is busy with other things, a second's work takes many. */
const WAIT_MS = 60_000;

export async function startDesk({ key, now = () => new Date(), pushTimeoutMs = WAIT_MS }: DeskOptions): Promise<DeskEmulator> {
  const book = createBook<ReceivedMessage>(
    "received from",
    ({ msgId, type, text, mediaId }) => `${msgId} ${type} ${text ?? mediaId ?? ""}`,
  );
  const policy = createAnswerPolicy();
  const shelf = new Map<string, DeskMedia>();
  const caller = createCaller("Ruby");
  const server = await startLoopback(async (request) => answerCall(request, { key, now: now(), book, policy, shelf }), now);
  let pushUrl: string | null = null;

  const push = async ({ contentType, body }: PushBody, query: Record<string, string>): Promise<PushResult> => {
    if (pushUrl === null) throw new Error("the desk has no push server address yet; call connectPush first");
    const url = new URL(pushUrl);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const answer = await caller.exchange({ method: "POST", url, contentType, body, signal: AbortSignal.timeout(pushTimeoutMs) });
    return { ...answer, ack: parseJson(answer.body) };
  };
  const toQuery = ({ unsigned = false }: PushOptions) => (unsigned ? {} : signQuery(key, now()));

  return {
    url: server.url + CALLBACK_PATH,
    setAnswer: policy.set,
    assign: (openId, agentName) => policy.set(openId, chattingWith(agentName)),
    connectPush: (address) => {
      pushUrl = address;
    },
    pushText: (openId, text, options = {}) => push(renderPush(openId, { type: "text", text }, options, now()), toQuery(options)),
    pushImage: (openId, mediaId, options = {}) => push(renderPush(openId, { type: "image", mediaId }, options, now()), toQuery(options)),
    pushMedia: (openId, media, options = {}) => push(renderPush(openId, media, options, now()), toQuery(options)),
    addMedia: (media) => {
      const path = `${MEDIA_PATH}${shelf.size}/${encodeURIComponent(media.fileName)}`;
      shelf.set(path, media);
      return server.url + path;
    },
    pushRaw: ({ query = {}, ...body }) => push(body, query),
    received: book.of,
    waitForReceived: (openId, wanted, timeoutMs = WAIT_MS) => book.waitFor(openId, wanted, timeoutMs),
    calls: server.calls,
    misbehave: server.misbehave,
    close: async () => {
      await server.close();
      await caller.close();
    },
  };
}

interface CallContext {
  key: string;
  now: Date;
  book: Book<ReceivedMessage>;
  policy: AnswerPolicy;
  shelf: ReadonlyMap<string, DeskMedia>;
}

/** Udesk does not publish the HTTP status of a refusal; like its channel test, this is a 200 that says so. */
function answerCall(request: LoopbackRequest, { key, now, book, policy, shelf }: CallContext): LoopbackAnswer {
  const media = shelf.get(request.path);
  if (request.method === "GET" && media) return { status: 200, headers: { "content-type": media.contentType }, body: media.bytes };
  if (!ROUTE.test(`${request.method} ${request.path}`)) return { status: 404, headers: {}, body: "" };
  const problem = findSignProblem(key, request.query, now);
  if (problem) return json({ success: false, msg: problem });
  if (request.method === "GET") return json({ success: true });

  try {
    const message = readMessage(request.body, now);
    const repeated = book.of(message.openId).some(({ msgId }) => msgId === message.msgId);
    book.record(message.openId, { ...message, repeated });
    return json(policy.answer({ ...message, repeated }));
  } catch (error) {
    return json({ success: false, msg: error instanceof Error ? error.message : String(error) });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
