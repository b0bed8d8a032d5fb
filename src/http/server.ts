import helmet from "@fastify/helmet";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyPluginAsync, LogController } from "fastify";
import type { ApiDeps } from "./api/deps.ts";
import { apiPlugin } from "./api/plugin.ts";
import { answerClientError, answerExpectation } from "./client-error.ts";
import { type DeskPushOptions, deskPush } from "./desk-push.ts";
import { openapiPlugin } from "./openapi.ts";
import { type OperationsDeps, operationsPlugin } from "./operations.ts";
import { Problem, sendProblem, sendRouteNotFound } from "./problem.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";
import { type WechatCallbacksOptions, wechatCallbacks } from "./wechat-callbacks.ts";

export interface HttpServerOptions {
  logger: FastifyBaseLogger;
  version: string;
  /** What WeChat and the desk call; null in a process that only works. */
  surfaces: { callbacks: WechatCallbacksOptions; push: DeskPushOptions } | null;
  api: ApiDeps;
  operations: OperationsDeps;
  /** Tests have less time. */
  limits?: Partial<Limits>;
}

interface Limits {
  /** From the first byte of a request to the end of its headers, and to its own end: a client that trickles its bytes is cut off. */
  headersTimeoutMs: number;
  requestTimeoutMs: number;
  /** Nothing at all is read or written; longer than the longest answer takes to begin. */
  idleTimeoutMs: number;
  /** How often Node looks who is over his time; its own 30 s would make the first two limits of little use. */
  checkIntervalMs: number;
}

const LIMITS: Limits = { headersTimeoutMs: 5_000, requestTimeoutMs: 10_000, idleTimeoutMs: 60_000, checkIntervalMs: 1_000 };
const HEADER_BYTES_MAX = 16 * 1024;
/** Must not end before a proxy in front reuses the connection; nginx keeps its own for 60 s. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** However the database stands still, every request has an answer. Callbacks and pushes have shorter limits of their own. */
const HANDLER_TIMEOUT_MS = 10_000;
const PATH_PARAMETER_CHARACTERS_MAX = 300;

/** All surfaces on one listener, each in a scope of its own. What machines call by the thousand stays free of what only people need. */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { logger, version, surfaces, api, operations } = options;
  const limits = { ...LIMITS, ...options.limits };
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    http: {
      // Refused below, in words: Node's own refusal has none.
      requireHostHeader: false,
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
    },
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    clientErrorHandler: answerClientError,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    frameworkErrors: sendProblem,
    // An address that was pasted with a slash behind it is the same address.
    routerOptions: { maxParamLength: PATH_PARAMETER_CHARACTERS_MAX, ignoreTrailingSlash: true },
  });
  app.server.on("checkExpectation", answerExpectation);
  app.addHook("onRequest", (request, reply, done) => {
    if (request.raw.httpVersion !== "1.1" || request.headers.host !== undefined) return done();
    sendProblem(new Problem("REQUEST_INVALID", "send a Host header, as HTTP/1.1 asks for"), request, reply);
  });
  app.setErrorHandler(sendProblem);
  if (surfaces !== null) {
    await app.register(wechatCallbacks, surfaces.callbacks);
    await app.register(deskPush, surfaces.push);
  }
  await app.register(forPeople, { version, api, operations });
  return app;
}

/** What people and their tools read. The description comes first: it hears of the routes as they are added. */
const forPeople: FastifyPluginAsync<Pick<HttpServerOptions, "version" | "api" | "operations">> = async (app, options) => {
  app.addHook("onRoute", (route) => {
    route.handlerTimeout ??= HANDLER_TIMEOUT_MS;
  });
  app.setNotFoundHandler(sendRouteNotFound);
  await app.register(helmet, SECURITY_HEADERS);
  await app.register(openapiPlugin, { version: options.version });
  await app.register(operationsPlugin, options.operations);
  await app.register(apiPlugin, { ...options.api, prefix: "/api/v1" });
};
