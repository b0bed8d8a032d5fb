import { setTimeout as sleep } from "node:timers/promises";
import { type Line, openLine } from "./line.ts";
import { percentile } from "./statistics.ts";

/** What a load was answered. */
export interface Load {
  sent: number;
  /** Answered with 200. */
  taken: number;
  /** How many of the others, by status; 0 stands for a connection that broke. */
  refused: Record<string, number>;
  seconds: number;
  latencyMs: { p50: number; p99: number; p999: number; max: number };
}

export interface ClosedLoad {
  addresses: string[];
  /** How many requests are under way at once. */
  connections: number;
  secondsMax: number;
  /** Begin again from the first when all have been sent: only for targets that store nothing. */
  repeats: boolean;
  /** Send a request again until it is answered with 200, as WeChat and the desk do: for a warm-up, which a cold gateway may refuse. */
  insists?: boolean;
}

const INSIST_MS = 100;

/**
 * As fast as it is answered. Each connection has its own share of the requests, in order, so that two messages of one contact are
 * never under way together if the contacts are a multiple of the connections.
 */
export async function driveClosed(requests: readonly Buffer[], load: ClosedLoad): Promise<Load> {
  const { addresses, connections, secondsMax, repeats, insists = false } = load;
  const lines = openLines(addresses, connections);
  const tally = createTally();
  const startedAt = performance.now();
  const until = startedAt + secondsMax * 1_000;
  await Promise.all(
    lines.map(async (line, place) => {
      for (let next = place; performance.now() < until; next += connections) {
        const request = requests[repeats ? next % requests.length : next];
        if (request === undefined) return;
        const sentAt = performance.now();
        let status = await line.send(request);
        while (insists && status !== 200 && performance.now() < until) {
          await sleep(INSIST_MS);
          status = await line.send(request);
        }
        tally.add(status, performance.now() - sentAt);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const line of lines) line.close();
  return tally.toLoad(seconds);
}

export interface OpenLoad {
  addresses: string[];
  perSecond: number;
  connectionsMax: number;
}

/**
 * By the clock, whatever the answers take. Latency counts from the moment at which a request was due, so what had to wait because
 * others stood still before it counts in full (no coordinated omission).
 */
export async function driveOpen(requests: readonly Buffer[], { addresses, perSecond, connectionsMax }: OpenLoad): Promise<Load> {
  const lines = openLines(addresses, connectionsMax);
  const free = [...lines];
  const due: { request: Buffer; dueAt: number }[] = [];
  const underWay = new Set<Promise<void>>();
  const tally = createTally();
  const startedAt = performance.now();

  const start = (line: Line, request: Buffer, dueAt: number) => {
    const exchange = line.send(request).then((status) => {
      tally.add(status, performance.now() - dueAt);
      underWay.delete(exchange);
      const next = due.shift();
      if (next === undefined) free.push(line);
      else start(line, next.request, next.dueAt);
    });
    underWay.add(exchange);
  };

  let next = 0;
  while (next < requests.length) {
    const reached = Math.min(requests.length, Math.ceil(((performance.now() - startedAt) / 1_000) * perSecond));
    for (; next < reached; next++) {
      const request = requests[next];
      if (request === undefined) break;
      const dueAt = startedAt + (next / perSecond) * 1_000;
      const line = free.pop();
      if (line === undefined) due.push({ request, dueAt });
      else start(line, request, dueAt);
    }
    await sleep(1);
  }
  while (underWay.size > 0) await Promise.all(underWay);
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const line of lines) line.close();
  return tally.toLoad(seconds);
}

function openLines(addresses: readonly string[], count: number): Line[] {
  return Array.from({ length: count }, (_, index) => openLine(addresses[index % addresses.length] ?? ""));
}

function createTally() {
  const latencies: number[] = [];
  const refused: Record<string, number> = {};
  let taken = 0;
  return {
    add: (status: number, latencyMs: number) => {
      latencies.push(latencyMs);
      if (status === 200) taken++;
      else refused[status] = (refused[status] ?? 0) + 1;
    },
    toLoad: (seconds: number): Load => {
      const at = (percent: number) => (latencies.length === 0 ? 0 : percentile(latencies, percent));
      const latencyMs = { p50: at(50), p99: at(99), p999: at(99.9), max: at(100) };
      return { sent: latencies.length, taken, refused, seconds, latencyMs };
    },
  };
}
