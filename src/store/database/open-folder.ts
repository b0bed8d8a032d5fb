import { fsyncSync, mkdirSync } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

type Init = NodeFS["init"];
type Module = NonNullable<Parameters<Init>[1]["preRun"]> extends ((module: infer M) => void)[] ? M : never;

/** Of an open file of the file system that Emscripten lays over Node's; `nfd` is Node's number for it. */
interface Stream {
  nfd: number;
  node: { mode: number };
}

/** Windows refuses to flush a folder, and needs no such thing. */
const FLUSHES_FOLDERS = process.platform !== "win32";

/**
 * An embedded Postgres whose commits are on the disk when they are answered, as a server's are. PGlite leaves that to the operating
 * system: it starts Postgres with `-F` (no fsync), and its file system has no way to flush. A killed process loses nothing then, but a
 * power cut takes what was acknowledged last, and, as files and log reach the disk in any order, possibly the database.
 */
export function openFolder(folder: string): PGlite {
  const startParams = PGlite.defaultStartParams.filter((param) => param !== "-F");
  // PGlite makes it as the umask says.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The default, fdatasync, does not get as far as the file system.
  return new PGlite({ fs: new OwnFolder(folder), startParams: [...startParams, "-c", "wal_sync_method=fsync"] });
}

class OwnFolder extends NodeFS {
  override async init(...[pglite, options]: Parameters<Init>): ReturnType<Init> {
    const { emscriptenOpts } = await super.init(pglite, options);
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), flushWhenAsked, keepFromOthers] } };
  }
}

function flushWhenAsked({ NODEFS, FS }: Module): void {
  NODEFS.stream_ops.fsync = ({ nfd, node }: Stream) => {
    if (FLUSHES_FOLDERS || !FS.isDir(node.mode)) NODEFS.tryFSOperation(() => fsyncSync(nfd));
    return 0;
  };
}

const OTHERS = 0o077;

/** Removes the permissions of group and others from each mode that PGlite asks for (0666 for the files that it begins with). */
function keepFromOthers({ NODEFS }: Module): void {
  const { mknod } = NODEFS.node_ops;
  NODEFS.node_ops.mknod = (parent: unknown, name: string, mode: number, device: number) => mknod(parent, name, mode & ~OTHERS, device);
  const { doSetAttr } = NODEFS;
  NODEFS.doSetAttr = (target: unknown, node: unknown, attributes: { mode?: number }, ...rest: unknown[]) =>
    doSetAttr(target, node, attributes.mode === undefined ? attributes : { ...attributes, mode: attributes.mode & ~OTHERS }, ...rest);
}
