import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Admission } from "../base/admission.ts";
import { before } from "../base/before.ts";
import { DecodeError, VerificationError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { withoutSecrets } from "../base/redact.ts";
import type { Connections } from "../domain/connection.ts";
import { toReadableText } from "../domain/content.ts";
import type { ToDatabaseFault } from "../domain/database-fault.ts";
import type { OpenedPush, PushRequest } from "../domain/desk.ts";
import type { PushRejectStore } from "../domain/store.ts";
import { type AcceptPushDeps, acceptPush } from "../flow/accept-push.ts";
import { limitParts } from "../flow/limit-parts.ts";
import { hasCallerGone, watchResponse } from "./caller.ts";
import { acceptRawBodies } from "./raw-body.ts";
import { shedLoad } from "./shed-load.ts";

export interface DeskPushOptions extends AcceptPushDeps {
  toDatabaseFault: ToDatabaseFault;
  connections: Connections;
  rejects: PushRejectStore;
  admission: Admission;
  /** How many messages one push may make to a contact. */
  partsMax: number;
  log: Log;
  /** A push that is not stored by then is refused, and the desk pushes again. */
  answerMsMax?: number;
}

const BODY_BYTES_MAX = 1024 * 1024;

/** The desk is promised an answer within a second. */
const ANSWER_MS_MAX = 950;

const ABANDONED = "the desk closed the connection before its push was stored, so it was not; let the desk push it again";

const REPEATED =
  "it repeats a push without ids that has no answer yet, or one of the same ids, so it was not stored again; if the same words are meant twice, let the desk give each a message_id";
const OVERLOADED_SECONDS = 2;

interface PushRoute {
  Params: { accountId: string; pushToken: string };
  Querystring: PushRequest["query"];
  Body: Buffer | undefined;
}

/** `POST /desk/{accountId}/{pushToken}`: what is pasted into the desk's console as the message push server address. */
export const deskPush: FastifyPluginAsync<DeskPushOptions> = async (app, options) => {
  shedLoad(app, {
    ...options,
    refuse: (reply) =>
      answer(reply.header("retry-after", OVERLOADED_SECONDS), 503, "not stored: the gateway is overloaded, please try again"),
  });
  acceptRawBodies(app, BODY_BYTES_MAX);
  app.setErrorHandler((error, request: FastifyRequest<Partial<PushRoute>>, reply) =>
    refuse(reply, error, request.params?.accountId, options),
  );

  app.post<PushRoute>("/desk/:accountId/:pushToken", { schema: { hide: true } }, async (request, reply) => {
    const startedAt = options.now();
    const deadline = new Date(startedAt.getTime() + (options.answerMsMax ?? ANSWER_MS_MAX));
    const { accountId, pushToken } = request.params;
    const connection = await before(deadline, options.now, options.connections.get(accountId));
    if (connection === null) return answer(reply, 404, "no such account, or it is disabled");
    if (!connection.acceptsPushToken(pushToken))
      throw new VerificationError(
        "PUSH_UNAUTHORIZED",
        "the push token in the address is wrong; enter the account's pushUrl at the desk as its creation showed it",
      );

    const push: PushRequest = { query: request.query, contentType: request.headers["content-type"], body: request.body ?? Buffer.alloc(0) };
    const opened = openOrReason(() => limitParts(connection.desk.openPush(push), connection, options.partsMax));
    if (typeof opened === "string") {
      const reject = { accountId, reason: opened, contentType: push.contentType, body: toRedacted(push.body) };
      await before(deadline, options.now, options.rejects.put(reject));
      options.log.warn({ account: accountId, reason: opened }, "push.refused");
      return answer(reply, 400, opened);
    }
    if (await hasCallerGone(request.raw)) {
      options.log.warn({ account: accountId, detail: ABANDONED }, "push.abandoned");
      return answer(reply, 503, ABANDONED);
    }
    const accepted = await before(deadline, options.now, acceptPush(opened, connection, options));
    const text = opened.replies.flatMap(({ content }) => (content === null ? [] : toReadableText(content)));
    const { messageIds: messages, repeatedIds } = accepted;
    const durationMs = options.now().getTime() - startedAt.getTime();
    options.log.info(
      { account: accountId, messages, ...(repeatedIds.length > 0 && { repetitionOf: repeatedIds, detail: REPEATED }), text, durationMs },
      "push.accepted",
    );
    const markAnswered = () => {
      accepted.answered().catch((error: unknown) => options.log.warn({ account: accountId, error }, "push.answer-unmarked"));
    };
    // A desk that heard nothing pushes again: its repetition must be taken for one.
    watchResponse(reply.raw, { sent: markAnswered, lost: () => {} });
    const { contentType, body } = connection.desk.pushAcknowledgement;
    return reply.type(contentType).send(body);
  });
};

/** The reason why it cannot be read is the answer to the desk's developer, so it is no exception here. */
function openOrReason(open: () => OpenedPush): OpenedPush | string {
  try {
    return open();
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

const REJECT_CHARACTERS_MAX = 2_000;

/** Kept so that an operator can see what the desk sends: without what could be a secret. */
function toRedacted(body: Buffer): string {
  const text = body.toString("utf8").replaceAll("\0", "").slice(0, REJECT_CHARACTERS_MAX);
  return withoutSecrets(text);
}

function refuse(reply: FastifyReply, error: unknown, account: string | undefined, { log, toDatabaseFault }: DeskPushOptions): FastifyReply {
  if (error instanceof VerificationError) {
    log.warn({ account, code: error.code, detail: error.message }, "push.refused");
    return answer(reply, 401, "not authorized");
  }
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 503;
  if (status === 413) return answer(reply, 413, `longer than ${BODY_BYTES_MAX} bytes`);
  if (status >= 400 && status < 500) return answer(reply, 400, "not a readable request");
  log.error({ account, error }, "push.failed");
  const code = toDatabaseFault(error)?.code;
  return answer(reply, 503, code === undefined ? "not stored, please try again" : `not stored, please try again (${code})`);
}

/** In the shape of the acknowledgement, so that a desk which only reads errcode understands it. */
function answer(reply: FastifyReply, status: number, errmsg: string): FastifyReply {
  return reply.code(status).send({ errcode: status, errmsg, success: false });
}
