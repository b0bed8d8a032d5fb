import { createHash } from "node:crypto";
import { mkdir, realpath, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../domain/errors.ts";

/** Unix takes 107 bytes for the path of a socket, some systems fewer. */
const SOCKET_PATH_MAX = 100;

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

/** A socket that nobody answers was left by a process that is no more. */
async function takeOver(path: string): Promise<Server | null> {
  const isAlive = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => resolve(true));
    socket.once("error", () => resolve(false)).once("connect", () => socket.destroy());
  });
  if (isAlive) return null;
  await rm(path, { force: true });
  return listen(path);
}
