import { createHash, randomBytes } from "node:crypto";
import { link, mkdir, realpath, rename, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../domain/errors.ts";

/** Unix takes 107 bytes for the path of a socket, some systems fewer; a dead one is moved aside under a name of 9 more. */
const SOCKET_PATH_MAX = 90;

/**
 * Makes this process the only one on a folder, by listening on a socket in it: the system frees it however the process ends, so
 * a crash leaves nothing to clean up by hand.
 * @returns gives the folder free
 * @throws ConfigError DATA_FOLDER_IN_USE
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const path = await toSocketPath(folder);
  const server = (await listen(path)) ?? (await takeOver(path));
  if (server === null) {
    throw new ConfigError(
      "DATA_FOLDER_IN_USE",
      `another gateway is running on ${folder}; stop it, give this one another WXDESK_DATA_DIR, or let both use one server with DATABASE_URL`,
    );
  }
  return () => new Promise((resolve) => server.close(() => resolve()));
}

async function toSocketPath(folder: string): Promise<string> {
  const real = await realpath(folder);
  const digest = createHash("sha256").update(real).digest("hex").slice(0, 16);
  if (process.platform === "win32") return `\\\\.\\pipe\\wxdesk-${digest}`;
  const path = join(real, "gateway.sock");
  return Buffer.byteLength(path) <= SOCKET_PATH_MAX ? path : join(tmpdir(), `wxdesk-${digest}.sock`);
}

/** Null when the socket is there already. */
function listen(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(null) : reject(error)));
    server.listen(path, () => resolve(server.unref()));
  });
}

/**
 * A socket that nobody answers was left by a process that is no more. It is moved aside before it is removed and asked once more
 * there: of two processes that find it dead at once, the slower one would otherwise remove the live socket of the faster.
 */
async function takeOver(path: string): Promise<Server | null> {
  if (await isAnswered(path)) return null;
  const aside = `${path}.${randomBytes(4).toString("hex")}`;
  if (!(await moved(path, aside))) return listen(path);
  const wasAlive = await isAnswered(aside);
  if (wasAlive) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
  return wasAlive ? null : listen(path);
}

/** Only a refusal proves that nobody is there; a socket that we may not ask, or that is too busy, belongs to somebody. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(true));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"));
    socket.once("connect", () => socket.destroy());
  });
}

/** False when somebody else was faster. */
function moved(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
}
