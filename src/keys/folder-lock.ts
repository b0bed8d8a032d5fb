import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, realpath, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError } from "../base/errors.ts";
import { toFolderProblem } from "./data-folder.ts";

/** Unix takes 107 bytes for the path of a socket, some systems fewer. */
const SOCKET_PATH_MAX = 100;
const ASK_AGAIN_MS = 20;
const ASKS_MAX = 100;

/**
 * Makes this process the only one on a folder, by listening on a socket in it: the system ends that however the process ends, so a
 * crash leaves nothing to clean up by hand.
 *
 * Each process has a socket under a name of its own and looks for others only when it listens, so of any two at least one sees
 * the other. One that answers nothing is removed, which is safe because its name is never used again. One that holds the folder
 * wins; among those still trying the lowest name does, and waits until the others have given up.
 * @returns gives the folder free
 * @throws ConfigError DATA_FOLDER_IN_USE, DATA_FOLDER_UNUSABLE
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  try {
    return await lock(folder);
  } catch (error) {
    throw toFolderProblem(error, folder);
  }
}

async function lock(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const place = await toPlace(folder);
  const own = `${place.prefix}-${randomBytes(4).toString("hex")}.sock`;
  const socket = await listen(join(place.folder, own));
  for (const name of (await readdir(place.folder)).filter((name) => name.startsWith(`${place.prefix}-`) && name !== own)) {
    if (await isYielding(join(place.folder, name), own < name)) continue;
    await socket.close();
    throw inUse(folder);
  }
  socket.hold();
  return socket.close;
}

function inUse(folder: string): ConfigError {
  const remedy = "stop it, give this one another WXDESK_DATA_DIR, or let both use one server with DATABASE_URL";
  return new ConfigError("DATA_FOLDER_IN_USE", `another gateway, or a command of wxdesk, is running on ${folder}; ${remedy}`);
}

/** Where the sockets are: in the folder, or in the system's for temporary files when the path would be too long. */
async function toPlace(folder: string): Promise<{ folder: string; prefix: string }> {
  const real = await realpath(folder);
  const digest = createHash("sha256").update(real).digest("hex").slice(0, 16);
  // A pipe is in no folder of the file system, but can be listed in one.
  if (process.platform === "win32") return { folder: "\\\\.\\pipe\\", prefix: `wxdesk-${digest}` };
  const isShort = Buffer.byteLength(join(real, "gateway-01234567.sock")) <= SOCKET_PATH_MAX;
  return isShort ? { folder: real, prefix: "gateway" } : { folder: tmpdir(), prefix: `wxdesk-${digest}` };
}

interface LockSocket {
  /** From now on whoever asks hears that the folder is held. */
  hold(): void;
  close(): Promise<void>;
}

const TRYING = "trying";

function listen(path: string): Promise<LockSocket> {
  let isHeld = false;
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => {
      // Who asked may be gone before it has the answer.
      socket.on("error", () => {}).end(isHeld ? "" : TRYING);
    });
    const hold = () => {
      isHeld = true;
    };
    const close = () => new Promise<void>((closed) => server.close(() => closed()));
    server.once("error", reject);
    server.listen(path, () => {
      server.unref();
      closeToOthers(path).then(() => resolve({ hold, close }), reject);
    });
  });
}

/** The umask decides how a socket is made. */
async function closeToOthers(path: string): Promise<void> {
  if (process.platform !== "win32") await chmod(path, 0o600);
}

/** Whether the other one is no more, or, where it has to, gives up. */
async function isYielding(path: string, hasTo: boolean): Promise<boolean> {
  for (let asked = 0; asked < ASKS_MAX; asked++) {
    const answer = await ask(path);
    if (answer === null) {
      await rm(path, { force: true });
      return true;
    }
    if (answer !== TRYING || !hasTo) return false;
    await sleep(ASK_AGAIN_MS);
  }
  return false;
}

/** Null when nobody is there. Only a refusal proves that: a socket that is too busy, or that we may not ask, belongs to somebody. */
function ask(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(path);
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ECONNREFUSED" || code === "ENOENT" ? null : ""));
    socket.once("close", () => resolve(answer));
  });
}
