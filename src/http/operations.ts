import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { z } from "zod";
import { ConfigError } from "../domain/errors.ts";
import type { HealthStore } from "../domain/store.ts";

export interface OperationsDeps {
  health: HealthStore;
  /** Whether the worker runs, where this process should have one. */
  worker: () => boolean;
  isStopping: () => boolean;
}

const readiness = z.object({
  status: z.enum(["ok", "unavailable"]),
  checks: z.object({
    database: z.enum(["ok", "unreachable"]),
    migrations: z.enum(["ok", "incomplete", "unknown"]),
    worker: z.enum(["ok", "stopped"]),
    stopping: z.enum(["no", "yes"]),
  }),
});

type StoreChecks = Pick<z.output<typeof readiness>["checks"], "database" | "migrations">;

/** For whoever runs the gateway: is the process alive, and should it get traffic. */
export const operationsPlugin: FastifyPluginAsyncZod<OperationsDeps> = async (app, { health, worker, isStopping }) => {
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
        response: { 200: readiness, 503: readiness },
      },
    },
    async (_request, reply) => {
      const store = await checkStore(health);
      const workerCheck = worker() ? ("ok" as const) : ("stopped" as const);
      const stopping = isStopping() ? ("yes" as const) : ("no" as const);
      const isReady = store.database === "ok" && store.migrations === "ok" && workerCheck === "ok" && stopping === "no";
      const checks = { ...store, worker: workerCheck, stopping };
      return isReady ? reply.send({ status: "ok", checks }) : reply.code(503).send({ status: "unavailable", checks });
    },
  );
};

// Probes usually wait a little longer than this before they give up.
const CHECK_TIMEOUT_MS = 2_000;

/** A ConfigError means that the database answered, but not with this build's migrations. */
async function checkStore(health: HealthStore): Promise<StoreChecks> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([health.check(), timeout]);
    return { database: "ok", migrations: "ok" };
  } catch (error) {
    return error instanceof ConfigError ? { database: "ok", migrations: "incomplete" } : { database: "unreachable", migrations: "unknown" };
  } finally {
    clearTimeout(timer);
  }
}
