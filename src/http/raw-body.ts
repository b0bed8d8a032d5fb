import type { FastifyInstance } from "fastify";

/**
 * For the routes that machines call. Signed bodies are read as the bytes that were signed, whatever the content type says; longer ones
 * get 413. No answer is taken by a browser for anything but what it says it is.
 */
export function acceptRawBodies(app: FastifyInstance, bytesMax: number): void {
  // Fastify refuses a content type that is no media type before it asks any parser; none at all it takes.
  app.addHook("onRequest", ({ raw: { headers } }, reply, done) => {
    if (!MEDIA_TYPE.test(headers["content-type"] ?? "")) delete headers["content-type"];
    reply.header("x-content-type-options", "nosniff");
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: bytesMax }, (_request, body, done) => done(null, body));
}

/** RFC 9110, section 8.3.1; parameters may be anything. */
const MEDIA_TYPE = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/;
