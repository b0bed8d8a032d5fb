import Fastify from "fastify";

/**
 * The gateway's route and its raw bodies, with nothing else around it: shared by the routes that `accept` is measured against.
 * Without `turn` each request is answered as soon as it has been read; with it, once `turn` resolves.
 */
export async function startRoute(
  answer: (body: Buffer, query: Record<string, string>) => string,
  turn?: () => Promise<void>,
): Promise<string> {
  const app = Fastify({ logger: false });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: 256 * 1024 }, (_request, body, done) => done(null, body));
  app.post<{ Body: Buffer; Querystring: Record<string, string> }>("/wechat/:accountId", async (request, reply) => {
    const text = answer(request.body, request.query);
    if (turn !== undefined) await turn();
    return reply.type("text/plain; charset=utf-8").send(text);
  });
  return app.listen({ host: "127.0.0.1", port: 0 });
}
