import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[];
  samples: number[];
  timeDeltas: number[];
}

/** Whose code it is, by its address; the first that fits. */
const OWNERS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["WebAssembly: Prisma's query compiler; embedded, Postgres", /^wasm:/],
  ["Prisma: client, adapter", /@prisma\/|generated\/prisma|pglite-prisma/],
  ["database driver (pg)", /node_modules\/(pg|pg-[a-z]+|postgres-[a-z]+)\//],
  ["embedded Postgres, its JavaScript", /electric-sql/],
  ["HTTP server (Fastify)", /node_modules\/(fastify|@fastify|find-my-way|avvio|fast-querystring|content-type|@hapi)/],
  ["HTTP client (undici)", /node_modules\/undici/],
  ["log (pino)", /node_modules\/(pino|sonic-boom|thread-stream|quick-format|safe-stable|atomic-sleep)/],
  ["XML (fast-xml-parser)", /node_modules\/(fast-xml|strnum|path-expression|@nodable)/],
  ["schemas (zod)", /node_modules\/zod/],
  ["codecs: src/wechat, channels, desks", /dist\/(wechat|channels|desks)\//],
  ["src/store", /dist\/store\//],
  ["other code of src", /dist\//],
  ["Node: net, http, streams, crypto, timers", /^node:/],
];
const UNCOUNTED: ReadonlySet<string> = new Set(["(idle)", "(root)"]);

export interface Share {
  name: string;
  /** Of the processor time of the process. */
  share: number;
}

/** Self time in the latest profile of this folder, by whose code it is, the costliest first. */
export function summarizeProfile(folder: string): { owners: Share[]; functions: Share[] } {
  const [file] = readdirSync(folder)
    .filter((name) => name.endsWith(".cpuprofile"))
    .sort()
    .reverse();
  if (file === undefined) throw new Error(`no profile in ${folder}`);
  return summarize(JSON.parse(readFileSync(join(folder, file), "utf8")) as Profile);
}

export function summarize({ nodes, samples, timeDeltas }: Profile): { owners: Share[]; functions: Share[] } {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const owners = new Map<string, number>();
  const functions = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || UNCOUNTED.has(frame.functionName)) continue;
    const us = timeDeltas[index] ?? 0;
    const owner = OWNERS.find(([, pattern]) => pattern.test(frame.url))?.[0] ?? toRest(frame);
    add(owners, owner, us);
    add(functions, `${frame.functionName || "(anonymous)"} ${toFile(frame.url)}`.trim(), us);
  }
  return { owners: toShares(owners), functions: toShares(functions) };
}

/** What has no address is not JavaScript. */
function toRest({ functionName, url }: Profile["nodes"][number]["callFrame"]): string {
  if (functionName === "(garbage collector)") return "garbage collector";
  return url === "" ? "native: writing to sockets and the like" : "other packages";
}

function toFile(url: string): string {
  return url.split("/").slice(-2).join("/");
}

function add(sums: Map<string, number>, name: string, us: number): void {
  sums.set(name, (sums.get(name) ?? 0) + us);
}

function toShares(sums: Map<string, number>): Share[] {
  const total = [...sums.values()].reduce((sum, us) => sum + us, 0);
  return [...sums].map(([name, us]) => ({ name, share: us / total })).sort((a, b) => b.share - a.share);
}
