import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Admission } from "../base/admission.ts";
import { before } from "../base/before.ts";
import { DecodeError, VerificationError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { CallbackRequest } from "../domain/channel.ts";
import { type AnswerDeps, answerCallback } from "../flow/answer.ts";
import { at, STORE_MS_MAX, URL_CHECK_MS_MAX } from "../flow/deadlines.ts";
import { hasCallerGone, toGoneSignal, watchResponse } from "./caller.ts";
import { acceptRawBodies } from "./raw-body.ts";
import { shedLoad } from "./shed-load.ts";

export interface WechatCallbacksOptions extends AnswerDeps {
  /** From then on nothing new is waited for. */
  isStopping: () => boolean;
  admission: Admission;
  /** Whether more waits to be stored than one statement stores. */
  isPressed: () => boolean;
  /** Callbacks that wait for a reply; more are acknowledged as soon as they are stored. */
  openMax: number;
  /** Tests have more time. */
  storeMsMax?: number;
}

const BODY_BYTES_MAX = 256 * 1024;

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
  const { now, connections, admission, openMax, isStopping, isPressed } = options;
  app.post<CallbackRoute>("/wechat/:accountId", { schema: { hide: true } }, async (request, reply) => {
    const arrivedAt = now();
    const storeBy = at(arrivedAt, options.storeMsMax ?? STORE_MS_MAX);
    const gone = toGoneSignal(reply.raw);
    // In a rush nothing is spent on a caller that has given up: WeChat asks again. Else it is stored, since no other gateway may be there.
    if (isPressed() && (await hasCallerGone(request.raw))) return answerGone(reply);
    const connection = await before(storeBy, now, connections.get(request.params.accountId));
    if (connection === null) return unknownAccount(reply);
    const opened = connection.channel.open({ query: request.query, body: request.body ?? Buffer.alloc(0) });
    const mayStayOpen = admission.open() <= openMax;
    const deadlines = { arrivedAt, storeBy, mayWait: () => mayStayOpen && !isStopping() };
    const answer = await answerCallback(opened, connection, deadlines, gone, options);
    watchResponse(reply.raw, answer);
    const { body } = answer;
    return reply.type(body?.contentType ?? "text/plain; charset=utf-8").send(body?.body ?? connection.channel.acknowledgement);
  });
}

function answerGone(reply: FastifyReply): FastifyReply {
  return reply.code(503).type("text/plain; charset=utf-8").send("the connection was closed before this was stored, please try again");
}

function unknownAccount(reply: FastifyReply): FastifyReply {
  return reply.code(404).type("text/plain; charset=utf-8").send("no such account, or it is disabled");
}

/** Short texts: a caller that cannot prove itself learns nothing. The log has the code. */
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
