import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Admission } from "../base/admission.ts";
import { before } from "../base/before.ts";
import { DecodeError, VerificationError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { RepliesSettings } from "../domain/account.ts";
import { type CallbackRequest, canReplyPassively } from "../domain/channel.ts";
import type { Connection } from "../domain/connection.ts";
import { toReadableText } from "../domain/content.ts";
import { toOtherApp } from "../domain/other-app.ts";
import { toCallbackTimes } from "../flow/deadlines.ts";
import { endReservation } from "../flow/end-reservation.ts";
import { noteApp } from "../flow/note-app.ts";
import type { NoteWarningDeps } from "../flow/note-warning.ts";
import { mayFindReply, passiveReply } from "../flow/passive-reply.ts";
import { type ReceiveDeps, type Received, receive } from "../flow/receive.ts";
import type { PassiveReplyDeps, TakenReply } from "../flow/take-reply.ts";
import { hasCallerGone } from "./caller.ts";
import { acceptRawBodies } from "./raw-body.ts";
import { shedLoad } from "./shed-load.ts";

export interface WechatCallbacksOptions extends ReceiveDeps, PassiveReplyDeps, NoteWarningDeps {
  /** From then on nothing new is waited for. */
  isStopping: () => boolean;
  admission: Admission;
  /** Whether more waits to be stored than one statement stores. */
  isPressed: () => boolean;
  /** Callbacks that wait for a reply; more are acknowledged as soon as they are stored. */
  openMax: number;
  log: Log;
  /** A callback that is not stored by then is refused, so that WeChat calls again. */
  storeMsMax?: number;
}

const BODY_BYTES_MAX = 256 * 1024;

/** WeChat hangs up after 5 s. */
const STORE_MS_MAX = 4_500;
/** WeCom gives its URL check one second; a console that hears nothing tells its operator nothing. */
const URL_CHECK_MS_MAX = 900;

interface CallbackRoute {
  Params: { accountId: string };
  Querystring: CallbackRequest["query"];
  Body: Buffer | undefined;
}

/** `GET|POST /wechat/{accountId}`: what is pasted into WeChat's console as the server address. */
export const wechatCallbacks: FastifyPluginAsync<WechatCallbacksOptions> = async (app, options) => {
  shedLoad(app, { ...options, refuse: answerNotStored });
  acceptRawBodies(app, BODY_BYTES_MAX);
  app.setErrorHandler((error, request: FastifyRequest<Partial<CallbackRoute>>, reply) =>
    refuse(reply, error, request.params?.accountId, options.log),
  );
  getUrlCheck(app, options);
  postCallback(app, options);
};

function getUrlCheck(app: FastifyInstance, { connections, now }: WechatCallbacksOptions): void {
  app.get<CallbackRoute>("/wechat/:accountId", { schema: { hide: true } }, async (request, reply) => {
    const connection = await before(at(now(), URL_CHECK_MS_MAX), now, connections.get(request.params.accountId));
    if (connection === null) return unknownAccount(reply);
    const echo = connection.channel.verifyUrl(request.query);
    return reply.type("text/plain; charset=utf-8").send(echo);
  });
}

function postCallback(app: FastifyInstance, options: WechatCallbacksOptions): void {
  app.post<CallbackRoute>("/wechat/:accountId", { schema: { hide: true } }, async (request, reply) => {
    const arrivedAt = options.now();
    const storeBy = at(arrivedAt, options.storeMsMax ?? STORE_MS_MAX);
    // In a rush nothing is spent on a caller that has given up: WeChat asks again. Else it is stored, since no other gateway may be there.
    if (options.isPressed() && (await hasCallerGone(request.raw))) return gone(reply);
    const connection = await before(storeBy, options.now, options.connections.get(request.params.accountId));
    if (connection === null) return unknownAccount(reply);
    const callback = connection.channel.open({ query: request.query, body: request.body ?? Buffer.alloc(0) });
    if (callback.kind === "bookkeeping") {
      options.log.info({ account: connection.account.id, name: callback.name }, "callback.ignored");
      return acknowledge(reply, connection);
    }
    const mayStayOpen = options.admission.open() <= options.openMax;
    const { waitMs } = toCallbackTimes(toReplies(connection, mayStayOpen, options), 0);
    const stored = receive(callback, connection, options, waitMs - elapsed(arrivedAt, options.now));
    const received = await before(storeBy, options.now, stored).catch((error: unknown) => {
      // Stored when this was refused already, it would keep replies waiting for a callback that is gone.
      void stored.then((late) => endReservation(late, options)).catch(() => {});
      throw error;
    });
    // Only a note: the answer neither waits for it nor fails with it.
    void noteApp(callback.addressedApp ?? null, connection, options);
    const taken = await findReply(callback.replyTo, received, connection, { arrivedAt, mayStayOpen }, reply, options);
    options.log.info(
      {
        account: connection.account.id,
        conversation: received.conversationId,
        message: received.messageId,
        type: callback.message.content.type,
        text: toReadableText(callback.message.content),
        isNew: received.isNew,
        otherApp: toOtherApp(connection.account, callback.addressedApp ?? null) ?? undefined,
        answered: taken === null ? "nothing" : "passive",
        durationMs: elapsed(arrivedAt, options.now),
      },
      "callback.received",
    );
    return taken === null ? acknowledge(reply, connection) : give(reply, taken, options.log);
  });
}

/** Whatever is slow, the callback is answered in time: a reply that comes too late for it is withdrawn and goes another way. */
async function findReply(
  replyTo: Parameters<typeof passiveReply>[0]["replyTo"],
  received: Received,
  connection: Connection,
  { arrivedAt, mayStayOpen }: { arrivedAt: Date; mayStayOpen: boolean },
  reply: FastifyReply,
  options: WechatCallbacksOptions,
): Promise<TakenReply | null> {
  const { account, channel } = connection;
  if (!canReplyPassively(channel) || !mayFindReply(received)) return null;
  // Who has hung up waits no more. If that was while the message was being stored, `hasGone` says so.
  reply.raw.once("close", () => received.changes?.close());
  const times = toCallbackTimes(toReplies(connection, mayStayOpen, options), received.ageMs);
  const found = passiveReply(
    {
      received,
      channel,
      replyTo,
      canSendAsync: account.replies.async,
      waitUntil: at(arrivedAt, times.waitMs),
      deadline: at(arrivedAt, times.takeMs),
      hasGone: () => reply.raw.destroyed,
    },
    options,
  );
  const late = () => {
    void found.then((taken) => taken?.withdraw()).catch((error: unknown) => options.log.error({ error }, "reply.lost"));
  };
  try {
    return await before(at(arrivedAt, times.answerMs), options.now, found);
  } catch (error) {
    // The message is stored, and a reply stays in its queue: the callback itself is answered all the same.
    options.log.warn({ error, message: received.messageId }, "callback.without-reply");
    late();
    return null;
  }
}

function toReplies(
  { account: { replies } }: Connection,
  mayStayOpen: boolean,
  { isStopping }: Pick<WechatCallbacksOptions, "isStopping">,
): RepliesSettings {
  return isStopping() || !mayStayOpen ? { ...replies, passiveWaitMs: 0 } : replies;
}

function give(reply: FastifyReply, taken: TakenReply, log: Log): FastifyReply {
  // "finish": every byte is handed to the operating system. Without it WeChat calls again and gets the same reply.
  reply.raw.once("finish", () => {
    taken.confirm().catch((error: unknown) => log.error({ error }, "reply.unconfirmed"));
  });
  return reply.type(taken.body.contentType).send(taken.body.body);
}

function acknowledge(reply: FastifyReply, { channel }: Connection): FastifyReply {
  return reply.type("text/plain; charset=utf-8").send(channel.acknowledgement);
}

function gone(reply: FastifyReply): FastifyReply {
  return reply.code(503).type("text/plain; charset=utf-8").send("the connection was closed before this was stored, please try again");
}

function unknownAccount(reply: FastifyReply): FastifyReply {
  return reply.code(404).type("text/plain; charset=utf-8").send("no such account, or it is disabled");
}

/** Short texts: who cannot prove itself learns nothing. The log has the code. */
function refuse(reply: FastifyReply, error: unknown, account: string | undefined, log: Log): FastifyReply {
  const { status, text } = toRefusal(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (status >= 500) log.error({ account, error }, "callback.failed");
  else log.warn({ account, status, code, detail: error instanceof Error ? error.message : undefined }, "callback.refused");
  return reply.code(status).type("text/plain; charset=utf-8").send(text);
}

function toRefusal(error: unknown): { status: number; text: string } {
  if (error instanceof VerificationError) return { status: 401, text: "not verified" };
  if (error instanceof DecodeError) return { status: 400, text: "not readable" };
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 503;
  if (status === 413) return { status, text: "too large" };
  if (status >= 400 && status < 500) return { status: 400, text: "not readable" };
  return { status: 503, text: NOT_STORED };
}

const NOT_STORED = "not stored, please try again";

function answerNotStored(reply: FastifyReply): FastifyReply {
  return reply.code(503).type("text/plain; charset=utf-8").send(NOT_STORED);
}

function at(start: Date, ms: number): Date {
  return new Date(start.getTime() + ms);
}

function elapsed(start: Date, now: () => Date): number {
  return now().getTime() - start.getTime();
}
