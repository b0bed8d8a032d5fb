import { serveCodecs } from "../lib/codecs-route.ts";

/** Codecs only, each answer written as soon as its request has been read. */
await serveCodecs();
