import type { FastifyInstance } from "fastify";

/** Signed bodies are read as the bytes that were signed, whatever the content type says; longer ones get 413. */
export function acceptRawBodies(app: FastifyInstance, bytesMax: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: bytesMax }, (_request, body, done) => done(null, body));
}
