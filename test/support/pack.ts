import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs `npm pack` on this checkout and writes all its files into `destination`. Asks no registry. */
export async function pack(destination: string): Promise<{ code: number | null; stderr: string }> {
  const args = ["pack", "--offline", "--no-update-notifier", "--pack-destination", destination];
  const npm = spawn("npm", args, {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? "", HOME: destination },
    stdio: ["ignore", "ignore", "pipe"],
    shell: process.platform === "win32",
  });
  const [stderr, [code]] = await Promise.all([text(npm.stderr), once(npm, "close")]);
  return { code, stderr };
}
