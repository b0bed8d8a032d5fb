import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Admission, Overload } from "../base/admission.ts";
import type { Log } from "../base/log.ts";

export interface ShedLoadOptions {
  admission: Admission;
  log: Log;
  /** The answer to one that is refused. */
  refuse: (reply: FastifyReply) => FastifyReply;
}

/**
 * Refuses the POSTs of a plugin that would not be answered in time, before their bodies are read: nothing is verified, decrypted or
 * looked up. Those whose body is still on its way are not counted, so that a client that trickles takes no place from others.
 */
export function shedLoad(app: FastifyInstance, { admission, log, refuse }: ShedLoadOptions): void {
  const inside = new WeakMap<FastifyRequest, () => void>();
  const tally = createTally(log);
  app.addHook("onRequest", (request, reply, done) => {
    const overload = request.method === "POST" ? admission.refusal() : null;
    if (overload === null) return done();
    tally(request.routeOptions.url ?? "", overload);
    refuse(reply);
  });
  app.addHook("preHandler", (request, _reply, done) => {
    inside.set(request, admission.enter());
    done();
  });
  app.addHook("onSend", (request, _reply, payload, done) => {
    inside.get(request)?.();
    inside.delete(request);
    done(null, payload);
  });
}

const TALLY_MS = 5_000;
const REMEDY = "refused with 503, the senders ask again; look what keeps the database busy, or start more replicas";

/** One line for all that were refused within some seconds: a line for each would cost more than the refusal. */
function createTally(log: Log): (route: string, overload: Overload) => void {
  let refused = 0;
  return (route, overload) => {
    refused++;
    if (refused > 1) return;
    setTimeout(() => {
      log.warn({ route, refused, ...overload }, `gateway.overloaded: ${REMEDY}`);
      refused = 0;
    }, TALLY_MS).unref();
  };
}
