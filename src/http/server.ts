import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import type { ApiDeps } from "./api/deps.ts";
import { apiPlugin } from "./api/plugin.ts";
import { type DeskPushOptions, deskPush } from "./desk-push.ts";
import { openapiPlugin } from "./openapi.ts";
import { type OperationsDeps, operationsPlugin } from "./operations.ts";
import { sendProblem, sendRouteNotFound } from "./problem.ts";
import { type WechatCallbacksOptions, wechatCallbacks } from "./wechat-callbacks.ts";

export interface HttpServerOptions {
  logger: FastifyBaseLogger;
  version: string;
  /** What WeChat and the desk call; null in a process that only works. */
  surfaces: { callbacks: WechatCallbacksOptions; push: DeskPushOptions } | null;
  api: ApiDeps;
  operations: OperationsDeps;
}

/** Longer than any request of ours takes; a client that trickles its bytes is cut off. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Must not end before a proxy in front reuses the connection; nginx keeps its own for 60 s. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const PATH_PARAMETER_CHARACTERS_MAX = 300;

/** All surfaces on one listener, each in a scope of its own. The description comes first: it hears of the routes as they are added. */
export async function createHttpServer({ logger, version, surfaces, api, operations }: HttpServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    frameworkErrors: sendProblem,
    routerOptions: { maxParamLength: PATH_PARAMETER_CHARACTERS_MAX },
  });
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler(sendRouteNotFound);
  await app.register(openapiPlugin, { version });
  await app.register(operationsPlugin, operations);
  if (surfaces !== null) {
    await app.register(wechatCallbacks, surfaces.callbacks);
    await app.register(deskPush, surfaces.push);
  }
  await app.register(apiPlugin, { ...api, prefix: "/api/v1" });
  return app;
}
