import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { findFreePort } from "../support/free-port.ts";
import { eventually } from "../support/gateway.ts";
import { buildBefore } from "./wxdesk.ts";

buildBefore();

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test.skipIf(process.platform === "win32")(
  "SIGTERM to npm start stops the gateway in order, with code 0, and leaves nobody behind",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "wxdesk-npm-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const address = `http://127.0.0.1:${await findFreePort()}`;
    const settings = { WXDESK_PORT: new URL(address).port, WXDESK_DATA_DIR: folder, WXDESK_LOG_LEVEL: "warn" };
    const npm = spawn("npm", ["start"], {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? "", HOME: folder, ...settings },
      stdio: "ignore",
      // A group of its own, so that the test can end all of it whatever happens.
      detached: true,
    });
    const exited = once(npm, "close");
    onTestFinished(() => {
      if (npm.pid === undefined) return;
      try {
        process.kill(-npm.pid, "SIGKILL");
      } catch {
        // Nobody is left, as it should be.
      }
    });
    const isAlive = () =>
      fetch(`${address}/livez`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually("the gateway to listen", isAlive, Boolean, 25_000);
    npm.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    expect(await isAlive()).toBe(false);
  },
);
