import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startProxy } from "./proxy.ts";

/** Answers with its name, or, while it stands still, takes connections and answers nothing. */
async function startReplica(name: string) {
  const unanswered: ServerResponse[] = [];
  let isFrozen = false;
  const server = createServer((_, response) => {
    if (isFrozen) unanswered.push(response);
    else response.end(name);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    freeze: () => {
      isFrozen = true;
    },
    thaw: () => {
      isFrozen = false;
      for (const response of unanswered.splice(0)) response.end(name);
    },
  };
}

/** Names a hang only. */
const HANG_MS = 60_000;
const PATIENCE_MS = 500;

test(
  "a replica that stands still is asked last until it moves again, so callers who have given up reach another",
  async () => {
    const [first, second] = [await startReplica("first"), await startReplica("second")];
    const proxy = await startProxy([first.url, second.url]);
    onTestFinished(proxy.close);
    const ask = () =>
      fetch(proxy.url, { signal: AbortSignal.timeout(PATIENCE_MS) }).then(
        (response) => response.text(),
        () => "given up",
      );
    const untilAnswers = async (wanted: string[]) => {
      for (const until = Date.now() + HANG_MS; Date.now() < until; await sleep(PATIENCE_MS / 5)) {
        const answers = [await ask(), await ask(), await ask(), await ask()];
        if (JSON.stringify(answers.sort()) === JSON.stringify(wanted)) return;
      }
      throw new Error(`four callers were never answered ${wanted.join(", ")}`);
    };
    await untilAnswers(["first", "first", "second", "second"]);
    first.freeze();
    await untilAnswers(["second", "second", "second", "second"]);
    first.thaw();
    await untilAnswers(["first", "first", "second", "second"]);
    await expect.poll(() => proxy.openAt(first.url), { timeout: HANG_MS }).toBe(0);
  },
  HANG_MS * 2,
);
