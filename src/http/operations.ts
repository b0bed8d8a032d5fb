import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { z } from "zod";
import { createStoreReadiness, type Readiness, readinessSchema, type StoreReadinessDeps } from "./readiness.ts";

export interface OperationsDeps extends StoreReadinessDeps {
  /** Whether the worker runs, where this process should have one. */
  worker: () => boolean;
  isStopping: () => boolean;
}

/** For whoever runs the gateway: is the process alive, and should it get traffic. */
export const operationsPlugin: FastifyPluginAsyncZod<OperationsDeps> = async (app, { worker, isStopping, ...deps }) => {
  const checkStore = createStoreReadiness(deps);
  /** Probes come once a second; the log has a line when the reason changes. */
  let toldCode = "";
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });

  app.get(
    "/livez",
    {
      schema: {
        tags: ["operations"],
        operationId: "livez",
        summary: "Whether the process is alive",
        response: { 200: z.object({ status: z.literal("ok") }) },
      },
    },
    async () => ({ status: "ok" as const }),
  );

  app.get(
    "/readyz",
    {
      schema: {
        tags: ["operations"],
        operationId: "readyz",
        summary: "Whether it should get traffic",
        description:
          "Proves that the database takes what is written. Asked more often than once a second, it answers what it has found last.",
        response: { 200: readinessSchema, 503: readinessSchema },
      },
    },
    async (request, reply) => {
      const { problem, ...store } = await checkStore();
      const checks: Readiness["checks"] = { ...store, worker: worker() ? "ok" : "stopped", stopping: isStopping() ? "yes" : "no" };
      if (problem !== undefined && problem.code !== toldCode) request.log.warn({ ...problem }, "gateway.not-ready");
      toldCode = problem?.code ?? "";
      const isReady = problem === undefined && checks.worker === "ok" && checks.stopping === "no";
      const shown = problem === undefined ? { checks } : { checks, problem };
      return isReady ? reply.send({ status: "ok", ...shown }) : reply.code(503).send({ status: "unavailable", ...shown });
    },
  );
};
