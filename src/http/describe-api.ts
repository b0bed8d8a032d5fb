import { createLogger } from "../base/logger.ts";
import { VERSION } from "../version.ts";
import type { ApiDeps } from "./api/deps.ts";
import type { OperationsDeps } from "./operations.ts";
import { createHttpServer } from "./server.ts";

/** The document of `GET /openapi.json`, without a gateway: the routes are registered and never called, so nothing stands behind them. */
export async function describeApi(): Promise<unknown> {
  const server = await createHttpServer({
    logger: createLogger({ level: "silent" }),
    version: VERSION,
    surfaces: null,
    api: {} as ApiDeps,
    operations: {} as OperationsDeps,
  });
  try {
    return (await server.inject("/openapi.json")).json();
  } finally {
    await server.close();
  }
}
