import Fastify from "fastify";

/** What all targets of the accept benchmark share: the gateway's route and its raw bodies, with nothing else around it. */
export async function startRoute(answer: (body: Buffer, query: Record<string, string>) => string): Promise<string> {
  const app = Fastify({ logger: false });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: 256 * 1024 }, (_request, body, done) => done(null, body));
  app.post<{ Body: Buffer; Querystring: Record<string, string> }>("/wechat/:accountId", async (request, reply) =>
    reply.type("text/plain; charset=utf-8").send(answer(request.body, request.query)),
  );
  return app.listen({ host: "127.0.0.1", port: 0 });
}
