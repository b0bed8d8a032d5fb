import { serveCodecs } from "../lib/codecs-route.ts";

let turn: Promise<void> | null = null;

/**
 * Codecs only, with batched answers: the requests that are read in one turn of the event loop are answered together at its end, as the
 * gateway answers the callbacks of one statement together. It waits for no statement, so a batch is as large as one turn makes it.
 */
await serveCodecs(() => {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = null;
      resolve();
    });
  });
  return turn;
});
